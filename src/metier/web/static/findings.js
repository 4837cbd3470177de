// A report is brought: dropped or chosen, sent with a bar of what really went, and read; with a question and rules beside.
"use strict";
(() => {
  const form = document.getElementById("findings-bring");
  const texts = JSON.parse(form.dataset.texts);
  const most = Number(form.dataset.most);
  const byId = (id) => document.getElementById(`findings-${id}`);
  const [input, chosen, state, bar, problem] = ["file", "chosen", "state", "bar", "problem"].map(byId);
  const start = form.querySelector("[type=submit]");
  let file = null;

  function complain(text) {
    problem.textContent = text;
    problem.classList.toggle("hidden", !text);
  }

  function choose(one) {
    if (!one) return;
    if (one.size > most) return complain(texts.too_large);
    complain("");
    file = one;
    chosen.textContent = one.name;
    start.removeAttribute("disabled");
  }

  function busy(on) {
    form.classList.toggle("busy", on);
    start.toggleAttribute("disabled", on);
    bar.classList.toggle("hidden", !on);
  }

  function send(one) {
    return new Promise((resolve, reject) => {
      const request = metier.upload("/api/v1/findings/uploads", one);
      request.upload.addEventListener("progress", (event) => {
        const share = event.loaded / (event.total || 1);
        bar.value = share;
        state.textContent = texts.sending.replace("{name}", one.name).replace("{percent}", Math.floor(100 * share));
      });
      request.addEventListener("load", () => {
        const { answer, problem } = metier.uploaded(request);
        if (problem) reject(new Error(problem));
        else resolve(answer.id);
      });
      request.addEventListener("error", () => reject(new Error(texts.broken)));
      request.send(one);
    });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!file) return;
    busy(true);
    complain("");
    try {
      const upload = await send(file);
      state.textContent = texts.waiting;
      const wish = { question: form.question.value.trim(), rules: form.rules.value.trim() };
      const body = { upload, ...wish, specialist: form.specialist?.value ?? "" };
      location.href = `/findings/${(await metier.call("POST", "/api/v1/findings", body)).id}`;
    } catch (error) {
      state.textContent = "";
      busy(false);
      complain(error.message);
    }
  });

  input.addEventListener("change", () => choose(input.files[0]));
  byId("rules-file").addEventListener("change", async (event) => {
    const [list] = event.target.files;
    if (list) form.rules.value = (await list.text()).slice(0, form.rules.maxLength);
    event.target.value = "";
  });
  const drop = form.querySelector(".drop");
  let inside = 0;
  form.addEventListener("dragenter", (event) => { event.preventDefault(); inside += 1; drop.classList.add("over"); });
  form.addEventListener("dragleave", () => { inside -= 1; if (inside <= 0) drop.classList.remove("over"); });
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    drop.classList.remove("over");
    choose(event.dataTransfer.files[0]);
  });
  // A file that misses the place must not replace the page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
})();
