// Roles of columns: what is chosen is tried on the first rows at once, and said.
"use strict";
(() => {
  const form = document.getElementById("columns");
  if (!form) return;
  const byId = (id) => document.getElementById(id);
  const selects = [...form.querySelectorAll("select[data-column]")];
  const upload = form.dataset.upload;
  const texts = JSON.parse(form.dataset.texts);
  // As the server has it; the two words are places of the pages.
  const NAME = /^(?!(new|uploads)$)[\p{L}\p{N}_][\p{L}\p{N}_.\-]*$/u;
  let touched = Boolean(form.dataset.touched);
  let newest = 0;

  // A note is kept under its column's name, whatever it is and however many there are; a column that was recognised as
  // all notes of a row stays that.
  function roleOf(select) {
    if (select.value !== "meta" || select.querySelector("option[selected]")?.value === "meta") return select.value;
    return `meta.${select.dataset.column}`;
  }

  function reading() {
    const columns = {};
    if (touched) for (const select of selects) if (select.value) columns[roleOf(select)] = select.dataset.column;
    return { columns, format: byId("format").value || null, skip_bad_rows: byId("skip").checked };
  }

  // asks: not wrong, only not said yet, which the page asks for in its own words.
  function tell(problem, format, asks = false) {
    byId("look-suggested")?.remove();
    byId("look-needs").classList.toggle("hidden", !asks);
    byId("look-problem").classList.toggle("hidden", !problem || asks);
    byId("look-problem").querySelector("span").textContent = problem;
    byId("look-good").classList.toggle("hidden", Boolean(problem));
    byId("look-format").textContent = texts.formats[format] ?? "";
  }

  function tellName(problem) {
    byId("name-wrong").textContent = problem;
    byId("name-wrong").classList.toggle("hidden", !problem);
    byId("name").setAttribute("aria-invalid", String(Boolean(problem)));
    if (problem) byId("name").focus();
  }

  async function look() {
    const mine = ++newest;
    form.classList.add("looking");
    try {
      const seen = await metier.call("POST", `/api/v1/uploads/${upload}/look`, reading());
      if (mine === newest) tell(seen.problem, seen.format, seen.needs_columns);
    } catch (error) {
      if (mine === newest) tell(error.message, null);
    } finally {
      if (mine === newest) form.classList.remove("looking");
    }
  }

  // A role is played by one column: choosing it anew takes it from the other.
  for (const select of selects) {
    select.addEventListener("change", () => {
      touched = true;
      for (const other of selects) if (other !== select && select.value && roleOf(other) === roleOf(select)) other.value = "";
      look();
    });
  }
  for (const id of ["format", "skip"]) byId(id)?.addEventListener("change", look);
  byId("name")?.addEventListener("input", () => tellName(""));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = byId("register");
    const problem = byId("register-problem");
    const name = byId("name").value.trim();
    problem.classList.add("hidden");
    if (!byId("look-needs").classList.contains("hidden")) return selects[0].focus(); // the page asks for these first
    if (!NAME.test(name)) return tellName(texts.name);
    button.disabled = true;
    byId("register-state").classList.remove("hidden");
    try {
      const body = { upload, name, ...reading() };
      const made = await metier.call("POST", "/api/v1/datasets", body);
      location.replace(`/datasets/${encodeURIComponent(made.name)}`); // the upload is no more: nothing to go back to
    } catch (error) {
      if (error.status === 409) tellName(error.message);
      else {
        problem.querySelector("span").textContent = error.message;
        problem.classList.remove("hidden");
      }
      button.disabled = false;
      byId("register-state").classList.add("hidden");
    }
  });
})();
