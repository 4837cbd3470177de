// Roles of columns: what is chosen is tried on the first rows at once, and said.
"use strict";
(() => {
  const form = document.getElementById("columns");
  if (!form) return;
  const byId = (id) => document.getElementById(id);
  const selects = [...form.querySelectorAll("select[data-column]")];
  const upload = form.dataset.upload;
  let touched = Boolean(form.dataset.touched);
  let newest = 0;

  function reading() {
    const columns = {};
    if (touched) for (const select of selects) if (select.value) columns[select.value] = select.dataset.column;
    return { columns, format: byId("format").value || null, skip_bad_rows: byId("skip").checked };
  }

  function tell(problem, format) {
    byId("look-problem").classList.toggle("hidden", !problem);
    byId("look-problem").querySelector("span").textContent = problem;
    byId("look-good").classList.toggle("hidden", Boolean(problem));
    byId("look-format").textContent = format ?? "";
  }

  async function look() {
    const mine = ++newest;
    form.classList.add("looking");
    try {
      const seen = await metier.call("POST", `/api/v1/uploads/${upload}/look`, reading());
      if (mine === newest) tell(seen.problem, seen.format);
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
      for (const other of selects) if (other !== select && select.value && other.value === select.value) other.value = "";
      look();
    });
  }
  for (const id of ["format", "skip"]) byId(id)?.addEventListener("change", look);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = byId("register");
    const problem = byId("register-problem");
    const name = byId("name").value.trim();
    problem.classList.add("hidden");
    if (!name) return;
    button.disabled = true;
    byId("register-state").classList.remove("hidden");
    try {
      const body = { upload, name, ...reading() };
      const made = await metier.call("POST", "/api/v1/datasets", body);
      location.href = `/datasets/${encodeURIComponent(made.name)}`;
    } catch (error) {
      problem.querySelector("span").textContent = error.message;
      problem.classList.remove("hidden");
      button.disabled = false;
      byId("register-state").classList.add("hidden");
    }
  });
})();
