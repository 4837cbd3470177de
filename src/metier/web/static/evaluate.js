// The form of an evaluation: bounds are checked as one types, the base model is offered, the work is sent.
"use strict";
(() => {
  const form = document.getElementById("evaluate-form");
  if (!form) return;
  const texts = JSON.parse(form.dataset.texts);
  const model = document.getElementById("evaluate-model");
  const set = document.getElementById("evaluate-set");
  const against = document.getElementById("evaluate-against");
  const problem = document.getElementById("evaluate-problem");
  const seen = document.getElementById("evaluate-seen");
  let setChosen = set.value !== "";

  function mark(field, text) {
    field.setAttribute("aria-invalid", text ? "true" : "false");
    const place = document.getElementById(`${field.id}-wrong`);
    if (place) place.textContent = text;
    return !text;
  }

  function wrongWith(field) {
    const { kind, least, most, above, below } = field.dataset;
    const given = field.value.trim();
    if (!given || (kind !== "number" && kind !== "whole")) return "";
    const value = Number(given);
    if (!Number.isFinite(value)) return texts.number;
    if (kind === "whole" && !Number.isInteger(value)) return texts.whole;
    if (least !== undefined && value < Number(least)) return texts.least.replace("%bound%", least);
    if (most !== undefined && value > Number(most)) return texts.most.replace("%bound%", most);
    if (above !== undefined && value <= Number(above)) return texts.above.replace("%bound%", above);
    if (below !== undefined && value >= Number(below)) return texts.below.replace("%bound%", below);
    return "";
  }

  function valueOf(field) {
    const given = field.value.trim();
    if (field.dataset.kind === "names") return field.value.split("\n").map((one) => one.trim()).filter(Boolean);
    if (given === "") return undefined;
    if (field.dataset.kind === "number" || field.dataset.kind === "whole") return Number(given);
    if (field.dataset.kind === "switch") return given === "true";
    return field.dataset.kind === "text" ? field.value : given;
  }

  // A run of one's own is measured on the set it was made for, beside the model it began from.
  function modelChanged() {
    const chosen = model.selectedOptions[0];
    const base = chosen?.dataset.base ?? "";
    against.classList.toggle("hidden", !base);
    against.querySelector("span").textContent = texts.against.replace("%base%", base);
    const test = chosen?.dataset.test;
    if (test && !setChosen && [...set.options].some((one) => one.value === test)) set.value = test;
    if (model.value) mark(model, "");
  }

  // What was trained on says what is remembered: told before the work, not only beside its scores.
  function seenChanged() {
    const taught = (model.selectedOptions[0]?.dataset.taught ?? "").split(",");
    const isSeen = set.value !== "" && taught.includes(set.value);
    seen.textContent = isSeen ? seen.dataset.text : ""; // words that come are read aloud, a hidden line's are not
    seen.classList.toggle("hidden", !isSeen);
  }

  // The kind's word first, and a set that the model's own title names only once.
  function titleOf(label) {
    const parts = label.split(" · ").filter((one) => one !== set.value);
    return [texts.title, ...parts, set.value].join(" · ").slice(0, 300);
  }

  function showProblem(error) {
    let first = null;
    for (const one of error.problem?.errors ?? []) {
      const name = one.field.replace(/^work\./, "");
      const field = name === "predict.dataset" ? set : name === "predict.model_name_or_path" ? model : form.querySelector(`[name="${CSS.escape(name)}"]`);
      if (!field) continue;
      field.closest("details")?.setAttribute("open", "");
      mark(field, one.message);
      first ??= field;
    }
    problem.textContent = error.message;
    problem.classList.toggle("hidden", first !== null);
    first?.focus();
  }

  function workNow() {
    const work = { predict: { model_name_or_path: model.value, dataset: set.value }, evaluate: {} };
    for (const field of form.querySelectorAll("[name][data-kind]")) {
      const [section, key] = field.name.split(".");
      const value = valueOf(field);
      if (value !== undefined) work[section][key] = value;
    }
    return work;
  }

  // What it would take, a moment after the last change; one question at a time.
  let waiting = 0, asking = false;

  function estimate() {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const place = document.getElementById("evaluate-plan");
      if (!place || asking || !model.value || !set.value || form.querySelector('[aria-invalid="true"]')) return;
      asking = true;
      const work = workNow();
      const base = model.selectedOptions[0]?.dataset.base;
      if (base && against.querySelector("input").checked) work.base_model_name_or_path = base;
      const asked = JSON.stringify({ kind: "score", work });
      try {
        const answer = await fetch("/fine-tune/plan", { method: "POST", headers: { "Content-Type": "application/json", Accept: "text/html" }, body: asked });
        if (answer.ok) place.innerHTML = await answer.text(); // made by the server's templates, everything in it escaped
      } catch {
        place.textContent = ""; // the server is away: an estimate is not worth a word
      } finally {
        asking = false;
      }
    }, 800);
  }

  async function send() {
    const fields = [...form.querySelectorAll("[name][data-kind]")];
    const right = [
      mark(model, model.value ? "" : texts.model),
      mark(set, set.value ? "" : texts.set),
      ...fields.map((field) => mark(field, wrongWith(field))),
    ];
    if (right.includes(false)) {
      const wrong = form.querySelector('[aria-invalid="true"]');
      wrong.closest("details")?.setAttribute("open", "");
      wrong.focus();
      return;
    }
    const work = workNow();
    const base = model.selectedOptions[0]?.dataset.base;
    const label = model.selectedOptions[0].dataset.label ?? model.selectedOptions[0].text;
    const title = titleOf(label);
    if (base && against.querySelector("input").checked) {
      Object.assign(work, { base_model_name_or_path: base, base_label: base, tuned_label: label, title });
    }
    const job = await metier.call("POST", "/api/v1/jobs", { kind: "score", work, title });
    location.href = `/evaluate/${job.id}`;
  }

  form.addEventListener("input", (event) => {
    if (event.target.dataset.kind) mark(event.target, wrongWith(event.target));
  });
  set.addEventListener("change", () => { setChosen = set.value !== ""; if (setChosen) mark(set, ""); });
  model.addEventListener("change", modelChanged);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    problem.classList.add("hidden");
    try {
      await send();
    } catch (error) {
      showProblem(error);
    } finally {
      button.disabled = false;
    }
  });
  form.addEventListener("change", seenChanged);
  form.addEventListener("change", estimate);
  modelChanged();
  seenChanged();
  estimate();
})();
