// Models that are on their way: bytes as they come, and the page anew once they are here.
"use strict";
(() => {
  function size(bytes) {
    const units = ["B", "KB", "MB", "GB", "TB"];
    let at = 0;
    while (bytes >= 1000 && at < units.length - 1) { bytes /= 1000; at += 1; }
    return `${at && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[at]}`;
  }

  function show(box, texts, event) {
    const bar = box.querySelector("progress");
    const words = box.querySelector("[data-words]");
    if (event.event === "progress" && event.unit === "bytes") {
      const whole = event.total && event.step >= event.total;
      if (event.total && !whole) { bar.max = event.total; bar.value = event.step; } else bar.removeAttribute("value");
      const share = event.total ? ` · ${Math.floor((100 * event.step) / event.total)} %` : "";
      const left = event.eta_seconds > 1 ? ` · ${texts.left.replace("{seconds}", Math.round(event.eta_seconds))}` : "";
      words.textContent = whole ? texts.converting : `${size(event.step)}${event.total ? ` / ${size(event.total)}` : ""}${share}${left}`;
    } else if (event.event === "log" && event.message) {
      words.textContent = event.message;
      words.title = event.message;
    }
  }

  // A browser opens six connections to one server: a few streams, so that the page itself keeps some.
  for (const box of [...document.querySelectorAll("[data-fetching]")].slice(0, 3)) {
    const texts = JSON.parse(box.dataset.texts);
    const source = new EventSource(`/api/v1/jobs/${box.dataset.fetching}/events`);
    source.addEventListener("event", (message) => show(box, texts, JSON.parse(message.data)));
    for (const name of ["end", "gone"]) {
      source.addEventListener(name, () => { source.close(); location.reload(); });
    }
    addEventListener("pagehide", () => source.close());
  }
})();
