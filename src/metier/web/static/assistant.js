// The assistant: questions to a specialist, answers while they are written, and the evidence that they cite.
"use strict";
(() => {
  const { articleOf, conversation, fill, part } = metierTalk;
  const own = { api: "/api/v1/assistant/chats", narrow: 1000, chosen, showState, looks, known };
  const talk = conversation("assistant", own);
  const { root, texts, turns } = talk;
  const model = JSON.parse(root.dataset.model);
  const setup = talk.element("setup");
  const loadButton = talk.element("load");
  const panel = document.getElementById("evidence");

  function chosen() {
    return { specialist: setup.specialist.value, bare: setup.bare.checked, ...root.metierKnowledge?.() };
  }

  // What writes: a loaded model, a server, or nobody, so that answers are quotations

  function looks() {
    return !model.server;
  }

  const wanted = () => (setup.bare.checked ? model.bare : model.references);

  function stateNow(state) {
    if (model.server) return { name: "ready", words: fill(texts.server, { title: model.title }) };
    if (model.missing) return { name: "failed", words: model.missing };
    const there = state?.models ?? [];
    const isOurs = wanted().every((one) => there.includes(one));
    const isLive = ["waiting", "loading", "ready"].includes(state?.state);
    if (isOurs && state?.state === "failed") return { name: "failed", words: state.reason, load: true };
    if (!isOurs || !isLive) return { name: "none", words: fill(texts.quoting, { title: model.title }), load: true };
    if (state.state === "waiting") return { name: "waiting", words: fill(texts.waiting, { text: state.blocked?.text ?? "" }) };
    if (state.state === "loading") return { name: "loading", words: fill(texts[state.stage || "starting"], state) };
    return { name: "ready", words: fill(texts.ready, { title: model.title, device: state.device }), unload: true };
  }

  function showState(state) {
    const now = stateNow(state);
    talk.writeState(now.name, now.words);
    loadButton.classList.toggle("hidden", !(now.load || now.unload) || !wanted().length);
    loadButton.dataset.act = now.unload ? "unload" : "load";
    loadButton.textContent = now.unload ? texts.unload : texts.load;
  }

  loadButton.addEventListener("click", () => {
    if (loadButton.dataset.act === "unload") talk.act("/api/v1/chat/unload", {});
    else talk.act("/api/v1/assistant/load", { specialist: setup.specialist.value, bare: setup.bare.checked });
  });

  talk.element("empty").addEventListener("click", (event) => {
    const example = event.target.closest("[data-example]");
    if (!example) return;
    talk.write(example.textContent);
    talk.asking.text.focus();
  });

  // Answers

  // Tools that were used and passages that were found, while the answer is still being written.
  async function known(turn) {
    const anew = await talk.fresh(turn);
    const old = articleOf(turn)?.querySelector("[data-known]");
    if (old && talk.live.has(turn)) old.replaceWith(anew.querySelector("[data-known]"));
  }

  turns.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-number]");
    if (chip && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      openEvidence(chip);
    }
    const vote = event.target.closest("[data-vote]");
    if (vote) rate(vote);
  });

  // Evidence

  async function openEvidence(chip) {
    const { turn, number, citation } = chip.dataset;
    const query = citation === undefined ? "" : `?citation=${citation}`;
    try {
      panel.innerHTML = await part(`/assistant/${talk.chat}/turns/${turn}/evidence/${number}${query}`);
    } catch (error) {
      metier.say(error.message, "problem");
      return;
    }
    for (const one of turns.querySelectorAll(".cite.here")) one.classList.remove("here");
    chip.classList.add("here");
    panel.classList.remove("hidden");
    panel.querySelector("mark")?.scrollIntoView({ block: "nearest" });
    panel.focus({ preventScroll: true });
    panel.from = chip;
  }

  function closeEvidence() {
    panel.classList.add("hidden");
    panel.from?.classList.remove("here");
    panel.from?.focus({ preventScroll: true });
  }
  panel.addEventListener("click", (event) => { if (event.target.closest("[data-close-evidence]")) closeEvidence(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.classList.contains("hidden")) closeEvidence();
  });

  // What the reader thinks of an answer

  async function keepRating(article, vote, words) {
    try {
      await metier.call("PUT", `/api/v1/assistant/chats/${talk.chat}/turns/${article.dataset.turn}/feedback`, { vote, words });
    } catch (error) {
      metier.say(error.message, "problem");
      return;
    }
    for (const one of article.querySelectorAll("[data-vote]")) {
      one.setAttribute("aria-pressed", String(one.dataset.vote === vote));
    }
    article.querySelector("[data-feedback]").classList.toggle("hidden", !vote);
  }

  function rate(pressed) {
    const article = pressed.closest("article");
    const vote = pressed.getAttribute("aria-pressed") === "true" ? "" : pressed.dataset.vote;
    keepRating(article, vote, vote ? article.querySelector("[name=words]").value : "");
  }

  turns.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-feedback]");
    if (!form) return;
    event.preventDefault();
    const article = form.closest("article");
    const vote = article.querySelector("[data-vote][aria-pressed=true]")?.dataset.vote ?? "";
    await keepRating(article, vote, form.words.value);
    metier.say(texts.thanks);
  });

  setup.bare.addEventListener("change", () => showState(talk.state));
  setup.specialist.addEventListener("change", async () => {
    if (talk.chat) await talk.keepSetup().catch((error) => metier.say(error.message, "problem"));
    location.href = talk.chat ? location.pathname : `/assistant?specialist=${encodeURIComponent(setup.specialist.value)}`;
  });
  document.addEventListener("DOMContentLoaded", () => talk.start(false));
})();
