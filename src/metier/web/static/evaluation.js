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
    for (const entry of live.querySelectorAll("[data-step]")) {
      if (entry.classList.contains("step-now") && entry.dataset.step !== name) entry.className = "step-done";
      if (entry.dataset.step === name) {
        entry.className = "step-now";
        entry.setAttribute("aria-current", "step");
      } else {
        entry.removeAttribute("aria-current");
      }
    }
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

  const shown = live.querySelector("h2").textContent;
  const source = new EventSource(live.dataset.events);
  source.addEventListener("event", (message) => {
    const event = JSON.parse(message.data);
    if (event.event === "step") stepNow(event.name);
    else if (event.event === "progress") progress(event);
  });
  let state = null;
  source.addEventListener("state", (message) => {
    const now = JSON.parse(message.data).state;
    if (state !== null && now !== state && shown) location.reload();
    state = now;
  });
  source.addEventListener("end", () => { source.close(); location.reload(); });
  addEventListener("pagehide", () => source.close());

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
