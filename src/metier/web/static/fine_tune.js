// The fine-tuning form: its values become the work, which is checked, explained and written as YAML while one types.
"use strict";
(() => {
  const form = document.getElementById("tune");
  if (!form) return;
  const texts = JSON.parse(form.dataset.texts);
  const models = new Map(JSON.parse(form.dataset.models).map((one) => [one.name, one]));
  const base = JSON.parse(form.dataset.work);
  const kind = form.dataset.kind;
  const inputs = [...form.querySelectorAll("[data-at]")];
  const DRAFT = "metier-tune-draft"; // the work that is carried to the form of the other kind
  const yaml = document.getElementById("tune-yaml");
  let formKey = form.dataset.key;
  let yamlEdited = false;

  // The work: what the form was begun with, under what its fields say.

  function put(target, path, value) {
    const parts = path.split(".");
    const last = parts.pop();
    let place = target;
    for (const part of parts) place = place[part] ??= {};
    if (value === undefined) delete place[last];
    else place[last] = value;
  }

  function at(source, path) {
    return path.split(".").reduce((place, part) => (place && typeof place === "object" ? place[part] : undefined), source);
  }

  // undefined: nothing is said, the default counts. What is no number stays text, for the server to say so.
  function valueOf(input) {
    const form = input.dataset.form;
    if (input.tagName === "FIELDSET") {
      const chosen = [...input.querySelectorAll("input:checked")].map((one) => one.value);
      return chosen.join(",") === input.dataset.default ? undefined : chosen;
    }
    if (input.type === "checkbox") return String(input.checked) === input.dataset.default ? undefined : input.checked;
    const text = input.value.trim();
    if (text === "") return input.dataset.empty === "null" ? null : undefined;
    if (input.tagName === "SELECT" && text === input.dataset.default) return undefined;
    if (form === "switch") return text === "true";
    if (form === "names") return text.split(",").map((one) => one.trim()).filter(Boolean);
    if (form === "whole" || form === "number") return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
    return text;
  }

  function workNow() {
    const work = structuredClone(base);
    for (const input of inputs) {
      const value = valueOf(input);
      for (const path of [input.dataset.at, ...(input.dataset.also?.split(" ") ?? [])]) put(work, path, value);
    }
    if (base.title && at(base, "data.train") !== at(work, "data.train")) {
      delete work.title; // of a shipped recipe, whose subject is another
      work.name = at(work, "data.train") ?? "";
    }
    if (deviceField) put(work, kind === "recipe" ? "train.num_processes" : "num_processes", count() > 1 ? count() : undefined);
    for (const [key, value] of Object.entries(work)) {
      if (value && typeof value === "object" && !Array.isArray(value) && !Object.keys(value).length && key !== "data") delete work[key];
    }
    return work;
  }

  const deviceField = document.getElementById("tune-devices"); // where there are several

  function devices() {
    const chosen = deviceField?.value ?? "1";
    return /^\d+$/.test(chosen) ? Number(chosen) : [chosen];
  }

  function count() {
    const chosen = devices();
    return Array.isArray(chosen) ? chosen.length : chosen;
  }

  // Several training sets are several selects over one value, `a,b`.

  const setValue = document.querySelector("#tune-sets [type=hidden]");
  const setFields = () => [...document.querySelectorAll("#tune-sets [data-set]")];

  function showSets() {
    const names = setValue.value.split(",").map((one) => one.trim()).filter(Boolean);
    while (setFields().length > Math.max(1, names.length)) setFields().at(-1).remove();
    while (setFields().length < names.length) addSet();
    setFields().forEach((field, index) => choose(field, names[index] ?? ""));
  }

  function addSet() {
    const last = setFields().at(-1);
    const field = last.cloneNode(true);
    field.value = "";
    field.removeAttribute("id");
    field.setAttribute("aria-label", texts.further);
    (last.closest("label") ?? last).after(field);
    return field;
  }

  function choose(field, name) {
    if (name && ![...field.options].some((one) => one.value === name)) field.add(new Option(name, name));
    field.value = name;
  }

  document.getElementById("tune-add-set").addEventListener("click", () => addSet().focus());
  document.getElementById("tune-sets").addEventListener("change", () => {
    setFields().slice(1).filter((one) => !one.value).forEach((one) => one.remove());
    setValue.value = [...new Set(setFields().map((one) => one.value).filter(Boolean))].join(",");
    touched();
  });

  // The other way: a work into the fields.
  function fill(work) {
    for (const key of Object.keys(base)) delete base[key];
    Object.assign(base, structuredClone(work));
    for (const input of inputs) {
      const value = at(work, input.dataset.at);
      if (input.tagName === "FIELDSET") {
        const chosen = value ?? input.dataset.default.split(",");
        for (const one of input.querySelectorAll("input")) one.checked = chosen.includes(one.value);
      } else if (input.type === "checkbox") {
        input.checked = value ?? input.dataset.default === "true";
      } else if (input.tagName === "SELECT") {
        const text = value === undefined ? (input.dataset.at === "data.guard" ? "general_guard" : input.dataset.default ?? "") : String(value ?? "");
        choose(input, text);
      } else {
        input.value = value === undefined || value === null ? "" : Array.isArray(value) ? value.join(", ") : String(value);
      }
    }
    showSets();
    touched();
  }

  // What is wrong, at its field.

  const problem = document.getElementById("tune-problem");
  const start = document.getElementById("tune-start");

  function mark(errors) {
    const wrong = new Map(errors.map((one) => [one.field, one.message]));
    for (const input of inputs) {
      const paths = [input.dataset.at, ...(input.dataset.also?.split(" ") ?? [])];
      const key = paths.find((path) => wrong.has(path)) ?? (wrong.has(paths[0].split(".").pop()) ? paths[0].split(".").pop() : null);
      const place = document.getElementById(`wrong-${input.dataset.at}`);
      const message = key === null ? "" : wrong.get(key);
      if (place && place.textContent !== message) place.textContent = message;
      for (const seen of input.type === "hidden" ? setFields() : [input]) {
        if (message) seen.setAttribute("aria-invalid", "true");
        else seen.removeAttribute("aria-invalid");
      }
      for (const path of message ? [key, ...paths] : []) wrong.delete(path);
    }
    const told = document.getElementById("tune-notify"); // looked at when the form is sent
    document.getElementById("wrong-address").textContent = wrong.get("address") ?? "";
    if (wrong.delete("address")) told.setAttribute("aria-invalid", "true");
    else told.removeAttribute("aria-invalid");
    for (const group of form.querySelectorAll("details[data-group]")) {
      const count = group.querySelectorAll("[aria-invalid]").length;
      group.querySelector("[data-wrong-in]").textContent = count ? texts.wrong.replace("0", count) : "";
    }
    const rest = [...wrong].map(([field, message]) => (field ? `${field}: ${message}` : message)).join("\n");
    tell(rest);
    return errors.length;
  }

  function tell(text) {
    problem.classList.toggle("hidden", !text);
    problem.querySelector("span").textContent = text;
  }

  // Each change is checked a moment after the last key; only the newest answer counts.

  let turn = 0, waiting = 0, planning = 0;

  function touched() {
    for (const place of form.querySelectorAll("[data-when-empty]")) {
      const of = inputs.find((one) => one.dataset.at === place.dataset.whenEmpty);
      place.classList.toggle("hidden", Boolean(of?.value));
    }
    showModel();
    clearTimeout(waiting);
    waiting = setTimeout(check, 300);
  }

  async function check() {
    const mine = ++turn;
    const work = workNow();
    try {
      const found = await metier.call("POST", "/fine-tune/check", { kind, work });
      if (mine !== turn) return;
      if (showWrong(found.wrong)) return;
      if (!yamlEdited) yaml.value = found.yaml;
      document.getElementById("tune-command").textContent = found.command;
      document.getElementById("tune-own").textContent = found.own.length ? `${texts.own} ${found.own.join(", ")}` : "";
      clearTimeout(planning);
      planning = setTimeout(() => plan(mine, work), 250);
    } catch (error) {
      if (mine !== turn) return;
      tell(error.status ? error.message : texts.away);
    }
  }

  // While a value is wrong, what is shown beside the form is of an earlier configuration, and nothing can be started.
  function showWrong(errors) {
    const count = mark(errors);
    const first = document.getElementById("tune-correct");
    const plan = document.getElementById("tune-plan");
    first.classList.toggle("hidden", !count);
    first.firstElementChild.textContent = count === 1 ? texts.first_one : count ? texts.first.replace("0", count) : "";
    for (const old of [plan, yaml, document.getElementById("tune-command")]) old.classList.toggle("tune-old", count > 0 && !(old === yaml && yamlEdited));
    plan.inert = count > 0;
    start.setAttribute("aria-disabled", count > 0);
    if (count) {
      clearTimeout(planning);
      plan.setAttribute("aria-busy", "false");
    }
    return count;
  }

  document.querySelector("#tune-correct button").addEventListener("click", showFirstWrong);

  // One estimate is asked for at a time; of those that one's typing asks for meanwhile, only the last.
  let asking = false, next = null;

  async function plan(mine, work) {
    if (asking) {
      next = [mine, work];
      return;
    }
    asking = true;
    await planNow(mine, work);
    asking = false;
    if (next) plan(...next);
    next = null;
  }

  async function planNow(mine, work) {
    const place = document.getElementById("tune-plan");
    place.setAttribute("aria-busy", "true");
    let pause = 0; // before it is asked again: others' are being counted, or the server is away
    try {
      const answer = await fetch("/fine-tune/plan", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/html" },
        body: JSON.stringify({ kind, work, devices: count() }),
      });
      const html = await answer.text();
      if (mine !== turn) return;
      if ([202, 429, 503].includes(answer.status)) {
        pause = 2000;
      } else if (answer.ok) {
        place.innerHTML = html; // made by the server's templates, everything in it escaped
        metier.writeTimes(place);
        const learnt = place.querySelector(".tune-sees mark");
        if (learnt) learnt.parentElement.scrollTop = learnt.offsetTop - learnt.parentElement.offsetTop - 70;
      }
    } catch {
      pause = 3000;
    }
    if (mine !== turn) return;
    if (pause) setTimeout(() => mine === turn && plan(mine, work), pause);
    else place.setAttribute("aria-busy", "false");
  }

  // The model's source fills itself in.
  function showModel() {
    const name = inputs.find((one) => one.dataset.at === "model_name_or_path").value.trim();
    const one = models.get(name);
    const place = document.getElementById("model-facts");
    if (!one) {
      place.textContent = name ? texts.unknown : "";
      return;
    }
    const size = one.size ? (one.size < 1e8 ? `${(one.size / 1e6).toPrecision(2)} MB` : `${(one.size / 1e9).toPrecision(2)} GB`) : "";
    place.textContent = [one.title, one.source, size, one.here ? texts.here : texts.fetched, texts[`fit_${one.fit}`], one.gated && !one.here ? texts.gated : ""].filter(Boolean).join(" · ");
    place.title = one.source;
  }

  form.addEventListener("input", (event) => {
    if (event.target.closest("[data-at]")) touched();
  });
  form.addEventListener("change", (event) => {
    if (event.target.closest("[data-at]") || event.target.id === "tune-devices") touched();
  });

  // Begin from something else.

  document.getElementById("tune-preset").addEventListener("change", (event) => {
    location.href = `/fine-tune?${event.target.value}`;
  });

  for (const link of form.querySelectorAll("[data-kind-link]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      if (link.dataset.kindLink === kind) return;
      sessionStorage.setItem(DRAFT, JSON.stringify({ kind: link.dataset.kindLink, work: convert(workNow(), link.dataset.kindLink) }));
      const preset = document.getElementById("tune-preset").value;
      location.href = `/fine-tune?kind=${link.dataset.kindLink}&${preset.startsWith("preset=") ? preset : "preset=none"}`;
    });
  }

  // A recipe's training alone, or a recipe around a training.
  function convert(work, wanted) {
    if (wanted === "train") {
      const { train = {}, data = {}, name, title, profile, compute, prepare, predict, guard, evaluate, compare, report, ...shared } = work;
      return { ...shared, ...train, dataset: data.train ?? "" };
    }
    const names = ["model_name_or_path", "adapter_name_or_path", "revision", "template", "columns", "skip_bad_rows", "cutoff_len", "enable_thinking", "seed"];
    const shared = Object.fromEntries(names.filter((one) => one in work).map((one) => [one, work[one]]));
    const train = Object.fromEntries(Object.entries(work).filter(([key]) => !names.includes(key) && key !== "dataset"));
    return { name: work.dataset || "recipe", ...shared, data: { train: work.dataset ?? "" }, train };
  }

  // YAML: shown as it is, edited and taken over, or loaded from a file.

  yaml.addEventListener("input", () => {
    yamlEdited = true;
    document.getElementById("tune-apply").disabled = false;
  });
  document.getElementById("tune-apply").addEventListener("click", () => take(yaml.value));
  document.getElementById("tune-file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) take(await file.text());
  });

  async function take(text) {
    const place = document.getElementById("yaml-wrong");
    place.textContent = "";
    try {
      const read = await metier.call("POST", "/api/v1/recipes/read", { text, kind });
      yamlEdited = false;
      document.getElementById("tune-apply").disabled = true;
      if (read.kind !== kind) {
        sessionStorage.setItem(DRAFT, JSON.stringify({ kind: read.kind, work: read.work }));
        location.href = `/fine-tune?kind=${read.kind}&preset=none`;
        return;
      }
      fill(read.work);
      metier.say(read.unread.length ? `${texts.unread} ${read.unread.join(", ")}` : texts.loaded);
    } catch (error) {
      place.textContent = error.message;
    }
  }

  form.addEventListener("click", async (event) => {
    const copier = event.target.closest("[data-copy-field]");
    if (copier) {
      const source = document.getElementById(copier.dataset.copyField);
      try {
        await navigator.clipboard.writeText(source.value);
        metier.say(texts.copied);
      } catch {
        source.select();
      }
    }
    const rename = event.target.closest("[data-rename]");
    if (rename) {
      const name = prompt(rename.dataset.question, rename.dataset.name);
      if (name) await change("PATCH", rename.dataset.rename, { name });
    }
    const forget = event.target.closest("[data-forget]");
    if (forget && confirm(forget.dataset.question)) await change("DELETE", forget.dataset.forget);
  });

  async function change(method, id, body) {
    try {
      await metier.call(method, `/api/v1/recipes/${id}`, body);
      location.reload();
    } catch (error) {
      metier.say(error.message, "problem");
    }
  }

  // Keep it under a name.

  const dialog = document.getElementById("tune-name");
  const nameField = document.getElementById("tune-name-field");
  const nameWrong = document.getElementById("tune-name-wrong");
  document.getElementById("tune-save").addEventListener("click", () => {
    nameField.value = base.name ?? "";
    nameWrong.textContent = "";
    dialog.showModal();
    nameField.select();
  });
  document.getElementById("tune-name-no").addEventListener("click", () => dialog.close());
  document.getElementById("tune-name-yes").addEventListener("click", () => keep(false));
  nameField.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      keep(false);
    }
  });

  async function keep(replace) {
    try {
      const row = await metier.call("POST", "/api/v1/recipes", { kind, work: workNow(), name: nameField.value, replace });
      dialog.close();
      metier.say(texts.saved);
      location.href = `/fine-tune?recipe=${row.id}`;
    } catch (error) {
      if (error.status === 409 && !replace && error.problem?.code === "workbench.recipe_taken" && confirm(texts.taken)) {
        keep(true);
        return;
      }
      nameWrong.textContent = error.message;
      if (error.problem?.errors?.length) {
        dialog.close();
        if (!(await wrongNow())) mark(error.problem.errors);
        showFirstWrong();
      }
    }
  }

  // Start. The form's key makes one job of it, however often it is sent: by a double click, or again after the server
  // was away before its answer came.

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (start.disabled) return;
    start.disabled = true;
    tell("");
    if (await wrongNow()) {
      start.disabled = false;
      showFirstWrong();
      return;
    }
    const told = document.getElementById("tune-notify");
    const body = JSON.stringify({
      kind,
      work: workNow(),
      title: document.getElementById("tune-title").value.trim(),
      devices: devices(),
      cloned_from: form.dataset.run || null,
      notify: told.value.trim() || told.dataset.before,
    });
    try {
      location.href = `/runs/${(await send(body)).id}`;
    } catch (error) {
      start.disabled = false;
      if (error.problem?.errors?.length) mark(error.problem.errors);
      if (!error.problem?.errors?.length || !form.querySelector("[aria-invalid]")) tell(error.message);
      showFirstWrong();
    }
  });

  // All that is wrong, and not only the first mistake, which is what a refused job names.
  async function wrongNow() {
    try {
      const found = await metier.call("POST", "/fine-tune/check", { kind, work: workNow() });
      return showWrong(found.wrong);
    } catch {
      return 0; // starting it says why
    }
  }

  function showFirstWrong() {
    const first = form.querySelector("[aria-invalid]");
    first?.closest("details")?.setAttribute("open", "");
    (first ?? problem).focus();
  }

  async function send(body) {
    for (;;) {
      let answer;
      try {
        answer = await fetch("/api/v1/jobs", {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": formKey },
          body,
        });
      } catch {
        answer = null;
      }
      if (answer && answer.status !== 503) {
        if (answer.status === 401) location.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
        const value = await answer.json();
        if (answer.ok) return value;
        const error = new Error(value.detail);
        error.problem = value;
        throw error;
      }
      tell(texts.away);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  // A page that comes back out of the browser's memory is a new form.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    formKey = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    start.disabled = false;
  });

  const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
  sessionStorage.removeItem(DRAFT);
  if (draft?.kind === kind && new URLSearchParams(location.search).get("kind") === kind) fill(draft.work);
  else {
    showSets();
    touched();
  }
})();
