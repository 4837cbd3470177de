// Files are dropped, chosen or picked with the keyboard, and sent one after the other; each can be taken back.
"use strict";
(() => {
  const form = document.getElementById("drop");
  if (!form) return;
  const texts = JSON.parse(form.dataset.texts);
  const most = Number(form.dataset.most);
  const input = document.getElementById("file");
  const card = document.getElementById("sending-card");
  const list = document.getElementById("sending");
  const waiting = [];
  let at = null;

  function line(file) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.className = "cut";
    name.textContent = name.title = file.name;
    const bar = document.createElement("progress");
    bar.max = file.size || 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `${texts.sending} ${file.name}`);
    const words = document.createElement("span");
    words.className = "quiet num";
    words.textContent = texts.waits;
    const back = document.createElement("button");
    back.type = "button";
    back.className = "btn btn-small";
    back.textContent = texts.take_back;
    const sending = document.createElement("span");
    sending.className = "knowledge-progress";
    sending.append(bar, words);
    row.append(name, sending, back);
    list.append(row);
    return { file, row, bar, words, back };
  }

  function enqueue(files) {
    for (const file of files) {
      const one = line(file);
      one.back.addEventListener("click", () => takeBack(one));
      if (file.size > most) fail(one, texts.too_large);
      else waiting.push(one);
    }
    input.value = "";
    card.classList.toggle("hidden", !list.children.length);
    next();
  }

  function next() {
    if (at || !waiting.length) return;
    at = waiting.shift();
    const one = at;
    const request = (one.request = metier.upload(form.dataset.address, one.file));
    one.words.textContent = texts.sending;
    request.upload.addEventListener("progress", (event) => {
      one.bar.max = event.total || one.file.size || 1;
      one.bar.value = event.loaded;
      one.words.textContent = `${Math.floor((100 * event.loaded) / (event.total || 1))} %`;
    });
    request.addEventListener("load", () => done(one, metier.uploaded(request).problem));
    request.addEventListener("error", () => done(one, texts.broken));
    request.addEventListener("abort", () => done(one, texts.cancelled));
    request.send(one.file);
  }

  function done(one, problem) {
    at = null;
    if (problem) {
      fail(one, problem);
    } else {
      one.row.remove();
      card.classList.toggle("hidden", !list.children.length);
    }
    refresh();
    next();
  }

  function fail(one, text) {
    one.bar.remove();
    one.back.remove();
    one.words.className = "knowledge-reason";
    one.words.setAttribute("role", "alert");
    one.words.textContent = text;
  }

  function takeBack(one) {
    if (one === at) return one.request.abort();
    waiting.splice(waiting.indexOf(one), 1);
    one.row.remove();
    card.classList.toggle("hidden", !list.children.length);
  }

  // The list below looks for itself while something is imported; this only wakes it.
  let asked = false;
  async function refresh() {
    const part = document.getElementById("documents");
    if (asked || part.hasAttribute("hx-get")) return;
    asked = true;
    try { await window.htmx.ajax("GET", form.dataset.part, { target: "#documents", swap: "outerHTML" }); }
    finally { asked = false; }
  }

  input.addEventListener("change", () => enqueue([...input.files]));
  let inside = 0;
  form.addEventListener("dragenter", (event) => { event.preventDefault(); inside += 1; form.classList.add("over"); });
  form.addEventListener("dragleave", () => { inside -= 1; if (inside <= 0) form.classList.remove("over"); });
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    form.classList.remove("over");
    enqueue([...event.dataTransfer.files]);
  });
  // A file that misses the place must not replace the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
  // Leaving would end what is being sent; what has arrived goes on by itself.
  window.addEventListener("beforeunload", (event) => { if (at || waiting.length) event.preventDefault(); });
})();
