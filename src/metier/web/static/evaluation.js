// An evaluation at work: how many rows are answered, how fast, and how long it will take; and rows as they are asked for.
"use strict";
(() => {
  const rows = document.getElementById("rows-form");
  for (const choice of rows?.querySelectorAll("select") ?? []) choice.addEventListener("change", () => rows.requestSubmit());

  const live = document.getElementById("live");
  if (!live) return;
  const texts = JSON.parse(live.dataset.texts);
  const bar = document.getElementById("live-bar");
  const text = document.getElementById("live-text");
  const stop = document.getElementById("live-stop");

  const clock = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    const two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };

  function stepNow(name) {
    const steps = [...live.querySelectorAll("[data-step]")];
    const now = steps.findIndex((step) => step.dataset.step === name);
    steps.forEach((step, at) => { step.className = at < now ? "strip-done" : at === now ? "strip-now" : "strip-later"; });
    bar.removeAttribute("value");
    text.textContent = "";
  }

  function progress(event) {
    bar.max = event.total || 1;
    bar.value = event.step ?? 0;
    const parts = [texts.rows.replace("%done%", event.step).replace("%total%", event.total)];
    if (event.rows_per_second) parts.push(texts.speed.replace("%speed%", event.rows_per_second.toFixed(1)));
    if (event.eta_seconds) parts.push(texts.left.replace("%left%", clock(event.eta_seconds)));
    text.textContent = parts.join(" · ");
  }

  const source = new EventSource(live.dataset.events);
  source.addEventListener("event", (message) => {
    const event = JSON.parse(message.data);
    if (event.event === "step") stepNow(event.name);
    else if (event.event === "progress") progress(event);
  });
  source.addEventListener("state", (message) => {
    if (JSON.parse(message.data).state !== live.dataset.state) location.reload();
  });
  for (const last of ["end", "gone"]) source.addEventListener(last, () => { source.close(); location.reload(); });
  addEventListener("pagehide", () => source.close());

  document.getElementById("live-answers")?.addEventListener("click", () => location.reload());
  stop?.addEventListener("click", async () => {
    if (!confirm(stop.dataset.ask)) return;
    stop.disabled = true;
    try {
      await metier.call("POST", stop.dataset.address);
    } catch (error) {
      metier.say(error.message, "problem");
      stop.disabled = false;
    }
  });
})();
