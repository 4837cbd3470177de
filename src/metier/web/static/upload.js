// A file is dropped, chosen or picked with the keyboard; it is sent with a bar of what really went, and can be called back.
"use strict";
(() => {
  const form = document.getElementById("drop");
  if (!form) return;
  const texts = JSON.parse(form.dataset.texts);
  const most = Number(form.dataset.most);
  const byId = (id) => document.getElementById(id);
  const [input, state, bar, words, problem] = ["file", "sending", "sending-bar", "sending-text", "drop-problem"].map(byId);
  let request = null;

  function complain(text) {
    problem.textContent = text;
    problem.classList.toggle("hidden", !text);
  }

  function size(bytes) {
    const units = ["B", "KB", "MB", "GB"];
    let at = 0;
    while (bytes >= 1000 && at < units.length - 1) { bytes /= 1000; at += 1; }
    return `${at && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[at]}`;
  }

  function busy(on) {
    state.classList.toggle("hidden", !on);
    input.disabled = on;
    form.classList.toggle("busy", on);
  }

  function send(files) {
    if (request || !files.length) return;
    if (files.length > 1) return complain(texts.one);
    const file = files[0];
    if (file.size > most) return complain(texts.too_large);
    complain("");
    byId("sending-name").textContent = file.name;
    bar.value = 0;
    words.textContent = texts.sending;
    busy(true);
    const started = performance.now();
    request = metier.upload("/api/v1/uploads", file);
    request.upload.addEventListener("progress", (event) => {
      bar.max = event.total || file.size || 1;
      bar.value = event.loaded;
      const seconds = (performance.now() - started) / 1000;
      const left = event.loaded ? Math.ceil((seconds * (event.total - event.loaded)) / event.loaded) : 0;
      const time = left > 2 ? ` · ${texts.left.replace("{seconds}", left)}` : "";
      words.textContent = `${size(event.loaded)} / ${size(event.total)}${time}`;
    });
    request.upload.addEventListener("load", () => { words.textContent = texts.reading; });
    request.addEventListener("load", () => done(request));
    request.addEventListener("error", () => failed(texts.broken));
    request.addEventListener("abort", () => failed(texts.cancelled));
    request.send(file);
  }

  function done(finished) {
    const { answer, problem } = metier.uploaded(finished);
    if (problem) failed(problem);
    else location.href = `/datasets/new?upload=${encodeURIComponent(answer.id)}`;
  }

  function failed(text) {
    request = null;
    busy(false);
    input.value = "";
    complain(text);
  }

  input.addEventListener("change", () => send(input.files));
  byId("sending-cancel").addEventListener("click", () => request?.abort());
  let inside = 0;
  form.addEventListener("dragenter", (event) => { event.preventDefault(); inside += 1; form.classList.add("over"); });
  form.addEventListener("dragleave", () => { inside -= 1; if (inside <= 0) form.classList.remove("over"); });
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    form.classList.remove("over");
    send(event.dataTransfer.files);
  });
  // A file that misses the place must not replace the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
})();
