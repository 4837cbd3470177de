// The documents beside the conversation: which are searched, and files that are brought while one asks.
"use strict";
(() => {
  const root = document.getElementById("assistant");
  const card = document.getElementById("assistant-documents");
  if (!card) return;
  const texts = JSON.parse(root.dataset.texts);
  const input = document.getElementById("assistant-file");
  const state = document.getElementById("assistant-sending");
  const most = Number(card.dataset.most);
  const waiting = [];
  let sending = false;
  let changed = card.hasAttribute("data-chosen");
  let timer = 0;

  const panel = () => document.getElementById("assistant-bases");
  const ticked = () => [...panel().querySelectorAll("[name=base]:checked")].map((box) => box.value);

  // What a conversation is asked with: nothing where the specialist's own documents are searched.
  root.metierKnowledge = () => (changed ? { knowledge: ticked() } : {});

  async function refresh(also = []) {
    clearTimeout(timer);
    const query = new URLSearchParams({ specialist: document.getElementById("assistant-setup").specialist.value });
    if (changed) for (const name of new Set([...ticked(), ...also])) query.append("base", name);
    if (changed && !query.has("base")) query.append("base", "");
    try {
      const response = await fetch(`/assistant/documents-part?${query}`, { headers: { Accept: "text/html" } });
      if (response.ok) panel().outerHTML = await response.text();
    } catch {
      // The server is away for a moment: the next look tells.
    }
    if (panel().hasAttribute("data-coming")) timer = setTimeout(refresh, 700);
  }

  async function ensureBase() {
    const { target } = panel().dataset;
    if (panel().hasAttribute("data-exists")) return target;
    try {
      await metier.call("POST", "/api/v1/knowledge", { name: target });
    } catch (error) {
      if (error.status !== 409) throw error; // it is there already
    }
    // A base that the specialist does not name is searched because it was brought here.
    if (!card.dataset.own.split(" ").includes(target)) changed = true;
    await refresh([target]);
    return target;
  }

  function send(base, file) {
    return new Promise((resolve, reject) => {
      const request = metier.upload(`/api/v1/knowledge/${encodeURIComponent(base)}/documents`, file);
      request.upload.addEventListener("progress", (event) => {
        const percent = Math.floor((100 * event.loaded) / (event.total || 1));
        state.textContent = texts.sending.replace("{file}", file.name).replace("{percent}", percent);
      });
      request.addEventListener("load", () => {
        const { problem } = metier.uploaded(request);
        if (problem) reject(new Error(problem));
        else resolve();
      });
      request.addEventListener("error", () => reject(new Error(texts.broken)));
      request.send(file);
    });
  }

  async function bring(files) {
    for (const file of files) {
      if (file.size > most) metier.say(texts.too_large.replace("{file}", file.name), "problem");
      else waiting.push(file);
    }
    input.value = "";
    if (sending) return;
    sending = true;
    state.classList.remove("hidden");
    while (waiting.length) {
      const file = waiting.shift();
      try {
        await send(await ensureBase(), file);
      } catch (error) {
        metier.say(`${file.name}: ${error.message}`, "problem");
      }
      await refresh();
    }
    state.classList.add("hidden");
    sending = false;
  }

  card.addEventListener("change", (event) => {
    if (event.target.name !== "base") return;
    changed = true;
    refresh();
  });
  input.addEventListener("change", () => bring([...input.files]));
  // A file may be dropped anywhere on the page.
  let inside = 0;
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => { if (isFile(event)) { inside += 1; card.classList.add("over"); } });
  addEventListener("dragleave", () => { inside = Math.max(0, inside - 1); if (!inside) card.classList.remove("over"); });
  addEventListener("dragover", (event) => { if (isFile(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    inside = 0;
    card.classList.remove("over");
    bring([...event.dataTransfer.files]);
  });
  addEventListener("beforeunload", (event) => { if (sending) event.preventDefault(); });
  if (panel().hasAttribute("data-coming")) refresh();
})();
