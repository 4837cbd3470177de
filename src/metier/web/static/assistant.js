// The assistant: questions to a specialist, answers while they are written, and the evidence that they cite.
"use strict";
(() => {
  const root = document.getElementById("assistant");
  const texts = JSON.parse(root.dataset.texts);
  const model = JSON.parse(root.dataset.model);
  const setup = document.getElementById("assistant-setup");
  const turns = document.getElementById("assistant-turns");
  const asking = document.getElementById("assistant-ask");
  const held = document.getElementById("assistant-held");
  const loadButton = document.getElementById("assistant-load");
  const sendButton = document.getElementById("assistant-send");
  const stopButton = document.getElementById("assistant-stop");
  const panel = document.getElementById("evidence");
  const live = new Set();
  let chat = root.dataset.chat;
  let kept = "";
  let source = null;
  let sending = false;
  let state = null;
  let timer = 0;
  let lost = false;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-small";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

  async function part(address) {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(response.statusText);
    return response.text();
  }

  // What writes: a loaded model, a server, or nobody, so that answers are quotations

  const wanted = () => (setup.bare.checked ? model.bare : model.references);

  function stateNow() {
    if (model.server) return { name: "ready", words: fill(texts.server, { title: model.title }) };
    const there = state?.models ?? [];
    const isOurs = wanted().every((one) => there.includes(one));
    const isLive = ["waiting", "loading", "ready"].includes(state?.state);
    if (isOurs && state?.state === "failed") return { name: "failed", words: state.reason, load: true };
    if (!isOurs || !isLive) return { name: "none", words: fill(texts.quoting, { title: model.title }), load: true };
    if (state.state === "waiting") return { name: "waiting", words: fill(texts.waiting, { text: state.blocked?.text ?? "" }) };
    if (state.state === "loading") return { name: "loading", words: fill(texts[state.stage || "starting"], state) };
    return { name: "ready", words: fill(texts.ready, { title: model.title, device: state.device }), unload: true };
  }

  function showState() {
    const now = stateNow();
    const box = document.getElementById("assistant-state");
    box.dataset.state = now.name;
    const words = box.querySelector("[data-words]");
    if (words.textContent !== now.words) words.textContent = now.words;
    const said = box.querySelector("[data-said]");
    if (said.dataset.state !== now.name) said.textContent = now.words; // read aloud once a state
    said.dataset.state = now.name;
    box.querySelector("progress").classList.toggle("hidden", now.name !== "loading");
    loadButton.classList.toggle("hidden", !(now.load || now.unload) || !wanted().length);
    loadButton.dataset.act = now.unload ? "unload" : "load";
    loadButton.textContent = now.unload ? texts.unload : texts.load;
  }

  async function look() {
    clearTimeout(timer);
    try {
      if (!document.hidden && !model.server) state = await metier.call("GET", "/api/v1/chat/state");
      showState();
    } catch {
      // The server is away for a moment: the next look tells.
    }
    const soon = live.size || ["waiting", "loading"].includes(state?.state);
    timer = setTimeout(look, soon ? 1000 : 8000);
  }

  async function load(wait = false) {
    try {
      if (loadButton.dataset.act === "unload") state = await metier.call("POST", "/api/v1/chat/unload", {});
      else {
        const body = { specialist: setup.specialist.value, bare: setup.bare.checked, wait };
        state = await metier.call("POST", "/api/v1/assistant/load", body);
      }
      held.classList.add("hidden");
    } catch (error) {
      if (error.problem?.code === "workbench.chat_held") offerToWait(error);
      else metier.say(error.message, "problem");
    }
    await look();
  }
  loadButton.addEventListener("click", () => load());

  function offerToWait(error) {
    held.querySelector("[data-words]").textContent = error.message;
    const hide = () => held.classList.add("hidden");
    held.querySelector("[data-acts]").replaceChildren(button(texts.wait, () => load(true)), button(texts.cancel, hide));
    held.classList.remove("hidden");
  }

  // Asking

  async function keepSetup() {
    const body = { specialist: setup.specialist.value, bare: setup.bare.checked, ...root.metierKnowledge?.() };
    const asText = JSON.stringify(body);
    if (chat && asText === kept) return;
    if (chat) await metier.call("PATCH", `/api/v1/assistant/chats/${chat}`, { setup: body });
    else chat = (await metier.call("POST", "/api/v1/assistant/chats", body)).id;
    kept = asText;
  }

  async function send(method, address, body, done = () => {}) {
    if (sending) return;
    sending = true;
    showSending();
    try {
      await keepSetup();
      await metier.call(method, `/api/v1/assistant/chats/${chat}${address}`, body);
      done();
      if (!root.dataset.chat) {
        location.replace(`/assistant/${chat}`); // the page of the conversation that has just begun
        return;
      }
      await showTurns();
      follow();
    } catch (error) {
      metier.say(error.message, "problem");
    } finally {
      sending = false;
      showSending();
      look();
    }
  }

  function ask() {
    const text = asking.text.value.trim();
    if (!text || live.size) return;
    send("POST", "/questions", { text }, () => { asking.text.value = ""; grow(); });
  }

  function showSending() {
    stopButton.classList.toggle("hidden", !live.size);
    sendButton.classList.toggle("hidden", live.size > 0);
    sendButton.toggleAttribute("disabled", sending);
  }

  function grow() {
    asking.text.style.height = "auto";
    asking.text.style.height = `${Math.min(asking.text.scrollHeight + 2, 240)}px`;
  }

  asking.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  asking.text.addEventListener("input", grow);
  // While a Chinese input method composes, Enter chooses a word and sends nothing. (229: Safari says it too late.)
  asking.text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    ask();
  });
  stopButton.addEventListener("click", () => {
    stopButton.setAttribute("disabled", "");
    metier.call("POST", `/api/v1/assistant/chats/${chat}/stop`)
      .catch((error) => metier.say(error.message, "problem"))
      .finally(() => stopButton.removeAttribute("disabled"));
  });
  document.getElementById("assistant-empty").addEventListener("click", (event) => {
    const example = event.target.closest("[data-example]");
    if (!example) return;
    asking.text.value = example.textContent;
    grow();
    asking.text.focus();
  });

  // Answers

  const atEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 120;
  const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);
  const articleOf = (turn) => document.getElementById(`turn-${turn}`);

  async function showTurns() {
    turns.innerHTML = await part(`/assistant/${chat}/turns${location.search.includes("all=true") ? "?all=true" : ""}`);
    document.getElementById("assistant-empty").classList.add("hidden");
    metier.writeTimes(turns);
    toEnd();
  }

  // The last text node takes what comes, so that a long answer is not written anew with each word.
  function put(turn, kind, text, anew) {
    const article = articleOf(turn);
    const target = article?.querySelector(kind === "thinking" ? ".thinking-text" : ".answer-text");
    if (!target) return;
    if (anew) target.textContent = text;
    else if (text) (target.lastChild ?? target.appendChild(document.createTextNode(""))).data += text;
    if (kind === "thinking" && text) article.querySelector(".thinking").classList.remove("hidden");
  }

  async function fresh(turn) {
    const template = document.createElement("template");
    template.innerHTML = await part(`/assistant/${chat}/turns/${turn}`);
    return template.content.firstElementChild;
  }

  // Tools that were used and passages that were found, while the answer is still being written.
  async function showKnown(turn) {
    const anew = await fresh(turn);
    const old = articleOf(turn)?.querySelector("[data-known]");
    if (old && live.has(turn)) old.replaceWith(anew.querySelector("[data-known]"));
  }

  async function finish(turn) {
    live.delete(turn);
    const follows = atEnd();
    const old = articleOf(turn);
    const anew = await fresh(turn);
    if (old?.querySelector(".thinking")?.open) anew.querySelector(".thinking").open = true;
    old?.replaceWith(anew);
    if (follows) toEnd();
    showSending();
    look();
  }

  // Follows what is being written until it has ended. A stream is open only that long: a browser has few at once.
  function follow() {
    source?.close();
    source = new EventSource(`/api/v1/assistant/chats/${chat}/events`);
    source.addEventListener("turns", async (event) => {
      lost = false;
      const value = JSON.parse(event.data);
      const writing = new Set(value.turns.map((turn) => turn.id));
      if (![...writing].every(articleOf)) await showTurns();
      const ended = [...turns.querySelectorAll("[data-state=writing]")].filter((one) => !writing.has(one.dataset.turn));
      live.clear();
      for (const turn of value.turns) {
        live.add(turn.id);
        put(turn.id, "text", turn.text, true);
        put(turn.id, "thinking", turn.thinking, true);
      }
      for (const one of ended) await finish(one.dataset.turn);
      showSending();
      look();
    });
    source.addEventListener("piece", (event) => {
      const value = JSON.parse(event.data);
      const follows = atEnd();
      put(value.id, "text", value.text);
      put(value.id, "thinking", value.thinking);
      if (follows) toEnd();
    });
    source.addEventListener("known", (event) => showKnown(JSON.parse(event.data).id));
    source.addEventListener("end", (event) => finish(JSON.parse(event.data).id));
    for (const last of ["done", "gone"]) source.addEventListener(last, () => source.close());
    source.addEventListener("error", () => {
      if (!lost && live.size) metier.say(texts.lost);
      lost = true;
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
    });
  }

  const isLast = (turn) => articleOf(turn)?.closest(".exchange") === turns.lastElementChild;

  turns.addEventListener("click", (event) => {
    const again = event.target.closest("[data-again]");
    if (again && !live.size && (isLast(again.dataset.again) || confirm(texts.replaces))) {
      send("POST", `/turns/${again.dataset.again}/regenerate`, {});
    }
    const edit = event.target.closest("[data-edit]");
    if (edit && !live.size) editQuestion(edit.dataset.edit);
    const chip = event.target.closest("[data-number]");
    if (chip && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      openEvidence(chip);
    }
    const vote = event.target.closest("[data-vote]");
    if (vote) rate(vote);
  });

  function editQuestion(turn) {
    const box = articleOf(turn);
    const form = document.createElement("form");
    const field = document.createElement("textarea");
    field.className = "form-control";
    field.value = box.querySelector(".question-text").textContent;
    field.rows = 3;
    field.setAttribute("aria-label", texts.ask_label);
    const acts = document.createElement("div");
    acts.className = "acts";
    const close = () => { form.remove(); box.classList.remove("edited"); };
    const anew = button(texts.edit_send, () => {
      const text = field.value.trim();
      if (text && (isLast(turn) || confirm(texts.replaces))) send("PUT", `/questions/${turn}`, { text }, close);
    });
    anew.classList.add("btn-primary");
    acts.append(anew, button(texts.cancel, close));
    form.append(field, acts);
    box.append(form);
    box.classList.add("edited");
    field.focus();
  }

  // Evidence

  async function openEvidence(chip) {
    const { turn, number, citation } = chip.dataset;
    const query = citation === undefined ? "" : `?citation=${citation}`;
    try {
      panel.innerHTML = await part(`/assistant/${chat}/turns/${turn}/evidence/${number}${query}`);
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
      await metier.call("PUT", `/api/v1/assistant/chats/${chat}/turns/${article.dataset.turn}/feedback`, { vote, words });
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

  // Earlier conversations

  const list = document.getElementById("assistant-list");
  const search = document.getElementById("assistant-search");
  let typed = 0;
  async function find(after = "") {
    const query = new URLSearchParams({ search: search.value, here: chat, ...(after ? { after } : {}) });
    try {
      const html = await part(`/assistant/list?${query}`);
      if (after) {
        list.lastElementChild.remove();
        list.insertAdjacentHTML("beforeend", html);
      } else {
        list.innerHTML = html;
      }
      metier.writeTimes(list);
    } catch (error) {
      metier.say(error.message, "problem");
    }
  }
  search.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(find, 250); });
  list.addEventListener("click", (event) => {
    const more = event.target.closest("[data-after]");
    if (more) find(more.dataset.after);
  });

  document.addEventListener("click", (event) => {
    const open = event.target.closest("[data-open]");
    if (open) document.getElementById(open.dataset.open).showModal();
    const close = event.target.closest("[data-close]");
    if (close) document.getElementById(close.dataset.close).close();
  });

  setup.addEventListener("submit", (event) => event.preventDefault());
  setup.bare.addEventListener("change", showState);
  setup.specialist.addEventListener("change", async () => {
    if (chat) await keepSetup().catch((error) => metier.say(error.message, "problem"));
    location.href = chat ? location.pathname : `/assistant?specialist=${encodeURIComponent(setup.specialist.value)}`;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    look();
    if (chat && !live.size && !sending) follow(); // another tab may have asked
  });
  if (matchMedia("(max-width: 1000px)").matches) document.getElementById("assistant-history").open = false;
  addEventListener("pagehide", () => source?.close());
  document.addEventListener("DOMContentLoaded", () => {
    look();
    if (chat) follow();
    if (turns.children.length) toEnd();
  });
})();
