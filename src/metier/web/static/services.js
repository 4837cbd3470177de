// Services: whether a specialist's model is loaded, and starting and stopping it.
"use strict";
(() => {
  const box = document.getElementById("services");
  const texts = JSON.parse(box.dataset.texts);
  const held = document.getElementById("services-held");
  let state = JSON.parse(box.dataset.state);
  let timer = 0;

  function show() {
    for (const row of box.querySelectorAll("[data-service]")) {
      const words = row.querySelector("[data-says]");
      const act = row.querySelector("[data-act]");
      if (!words || !act) continue;
      const wanted = JSON.parse(row.dataset.references);
      const ours = wanted.every((one) => (state.models ?? []).includes(one));
      const now = ours && ["waiting", "loading", "ready"].includes(state.state) ? state.state : "none";
      words.textContent = { ready: texts.loaded, loading: texts.loading, waiting: texts.waiting, none: texts.not_loaded }[now];
      words.className = `state${now === "ready" ? " state-done" : now === "none" ? "" : " state-running"}`;
      act.dataset.act = now === "none" ? "start" : "stop";
      act.textContent = { none: texts.start, waiting: texts.give_up }[now] ?? texts.stop;
    }
  }

  async function look() {
    clearTimeout(timer);
    try {
      if (!document.hidden) state = await metier.call("GET", "/api/v1/chat/state");
      show();
    } catch {
      // The server is away for a moment: the next look tells.
    }
    timer = setTimeout(look, ["waiting", "loading"].includes(state.state) ? 1000 : 8000);
  }

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-small";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  async function start(specialist, wait = false) {
    held.classList.add("hidden");
    try {
      state = await metier.call("POST", "/api/v1/assistant/load", { specialist, wait });
    } catch (error) {
      if (error.problem?.code !== "workbench.chat_held") return metier.say(error.message, "problem");
      held.querySelector("[data-words]").textContent = error.message;
      const hide = () => held.classList.add("hidden");
      const acts = [button(texts.wait, () => start(specialist, true)), button(texts.cancel, hide)];
      held.querySelector("[data-acts]").replaceChildren(...acts);
      held.classList.remove("hidden");
    }
    look();
  }

  box.addEventListener("click", async (event) => {
    const pressed = event.target.closest("[data-act]");
    if (!pressed) return;
    if (pressed.dataset.act === "start") return start(pressed.closest("[data-service]").dataset.service);
    try {
      state = await metier.call("POST", "/api/v1/chat/unload", {});
    } catch (error) {
      metier.say(error.message, "problem");
    }
    look();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  document.addEventListener("DOMContentLoaded", () => { show(); look(); });
})();
