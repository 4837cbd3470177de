// The chat page: which models are chosen and with what settings; the rest it shares with the assistant.
"use strict";
(() => {
  const { button, conversation, fill } = metierTalk;
  const own = { api: "/api/v1/chats", narrow: 760, chosen, isRight, showState, freeing };
  const talk = conversation("chat", { ...own, more: () => pictures.chosen(), sent: () => pictures.clear() });
  const { texts, turns } = talk;
  const setup = talk.element("setup");
  const loadButton = talk.element("load");
  const pictures = metierPictures("chat", texts);

  function link(text, address) {
    const made = document.createElement("a");
    made.className = "btn btn-small";
    made.href = address;
    made.textContent = text;
    return made;
  }

  // What is chosen

  function chosenModels() {
    const names = [setup.left.value];
    if (setup.two.checked) names.push(setup.right.value);
    return names;
  }

  function chosen() {
    const sampling = {};
    for (const name of ["temperature", "top_p", "top_k", "max_new_tokens", "repetition_penalty", "seed"]) {
      sampling[name] = Number(setup[name].value);
    }
    const thinking = setup.enable_thinking.value;
    return {
      models: chosenModels(),
      system_prompt: setup.system_prompt.value,
      enable_thinking: thinking === "" ? null : thinking === "true",
      sampling,
    };
  }

  function isRight() {
    if (setup.checkValidity()) return true;
    setup.querySelector("details").open = true;
    setup.reportValidity();
    return false;
  }

  function showChoice() {
    const two = setup.two.checked;
    talk.element("right").classList.toggle("hidden", !two);
    setup.left.closest("label").firstChild.textContent = two ? texts.model_left : texts.model;
    const selected = [setup.left, ...(two ? [setup.right] : [])].map((select) => select.selectedOptions[0]);
    const thinks = selected.some((option) => option && "thinking" in option.dataset);
    talk.element("thinking").classList.toggle("hidden", !thinks && setup.enable_thinking.value === "");
    const blind = selected.find((option) => option && !("pictures" in option.dataset));
    pictures.allow(blind ? fill(texts.takes_no_pictures, { title: blind.title }) : "");
    showState(talk.state);
  }

  // What is loaded

  function freeing(state) {
    const blocked = state?.blocked;
    const acts = [];
    if (blocked?.kind === "job" && blocked.id) acts.push(link(texts.open_run, `/runs/${blocked.id}`));
    if (blocked?.kind === "chat" && blocked.id && !blocked.mine) {
      acts.push(button(texts.free_it, async () => {
        if (!confirm(texts.free_it_ask)) return;
        await talk.act("/api/v1/chat/unload", { host: blocked.id });
      }));
    }
    return acts;
  }

  const isChosen = (state) => JSON.stringify(state.models) === JSON.stringify(chosenModels());

  function stateWords(state) {
    const same = isChosen(state);
    const blocked = state.blocked;
    if (state.state === "waiting") {
      const line = fill(texts.state_waiting, { device: blocked?.device ?? "…", text: blocked?.text ?? "" });
      return blocked?.ahead ? `${line} (${fill(texts.ahead, { count: blocked.ahead })})` : line;
    }
    if (state.state === "loading") return fill(texts[`state_${state.stage || "starting"}`], { seconds: state.seconds });
    if (state.state === "failed") return state.reason;
    if (state.state === "ready" && same) {
      const ready = fill(texts.state_ready, { device: state.device });
      const waited = { count: state.waited_for, device: state.device };
      return state.waited_for ? `${ready} · ${fill(texts.waited_for, waited)}` : ready;
    }
    if (state.state === "ready") return fill(texts.state_other, { titles: state.titles.join(", ") });
    return blocked ? fill(texts.state_blocked, blocked) : texts.state_none;
  }

  function showState(state) {
    if (!state) return;
    const same = isChosen(state);
    const isLive = ["waiting", "loading", "ready"].includes(state.state);
    talk.writeState(state.state === "ready" && !same ? "other" : state.state, stateWords(state));
    talk.element("state").querySelector("[data-acts]").replaceChildren(...freeing(state));
    const unloads = isLive && same;
    loadButton.dataset.act = unloads ? "unload" : "load";
    loadButton.textContent = !unloads ? texts.load : state.state === "waiting" ? texts.give_up : texts.unload;
    for (const mark of turns.querySelectorAll("[data-live]")) {
      const waits = isLive && state.state !== "ready";
      mark.textContent = waits ? texts.waiting : texts.writing;
    }
  }

  loadButton.addEventListener("click", () => {
    if (loadButton.dataset.act === "unload") talk.act("/api/v1/chat/unload", {});
    else talk.act("/api/v1/chat/load", { models: chosenModels() });
  });

  talk.element("idle")?.addEventListener("change", async (event) => {
    event.stopPropagation();
    if (!event.target.reportValidity()) return;
    try {
      await metier.call("PUT", "/api/v1/chat/idle", { minutes: Number(event.target.value) });
      metier.say(texts.idle_kept);
    } catch (error) {
      metier.say(error.message, "problem");
    }
  });
  setup.addEventListener("change", showChoice);
  document.addEventListener("DOMContentLoaded", () => {
    showChoice();
    talk.start(true);
  });
})();
