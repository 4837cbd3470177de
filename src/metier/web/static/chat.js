// The chat page: what is loaded, questions, and answers while they are being written.
"use strict";
(() => {
  const root = document.getElementById("chat");
  const texts = JSON.parse(root.dataset.texts);
  const setup = document.getElementById("chat-setup");
  const turns = document.getElementById("chat-turns");
  const asking = document.getElementById("chat-ask");
  const held = document.getElementById("chat-held");
  const loadButton = document.getElementById("chat-load");
  const sendButton = document.getElementById("chat-send");
  const stopButton = document.getElementById("chat-stop");
  let chat = root.dataset.chat;
  let source = null;
  let sending = false;
  let state = null;
  let timer = 0;
  const live = new Set();
  let lost = false;
  let kept = "";

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-small";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  }

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

  function settingsAreRight() {
    if (setup.checkValidity()) return true;
    setup.querySelector("details").open = true;
    setup.reportValidity();
    return false;
  }

  function showChoice() {
    const two = setup.two.checked;
    document.getElementById("chat-right").classList.toggle("hidden", !two);
    setup.left.closest("label").firstChild.textContent = two ? texts.model_left : texts.model;
    const selected = [setup.left, ...(two ? [setup.right] : [])].map((select) => select.selectedOptions[0]);
    const thinks = selected.some((option) => option && "thinking" in option.dataset);
    document.getElementById("chat-thinking").classList.toggle("hidden", !thinks && setup.enable_thinking.value === "");
    showState();
  }

  // What is loaded

  function blockedActs(blocked) {
    const acts = [];
    if (blocked?.kind === "job" && blocked.id) acts.push(link(texts.open_run, `/runs/${blocked.id}`));
    if (blocked?.kind === "chat" && blocked.id && !blocked.mine) {
      acts.push(button(texts.free_it, async () => {
        if (!confirm(texts.free_it_ask)) return;
        await act("/api/v1/chat/unload", { host: blocked.id });
      }));
    }
    return acts;
  }

  function stateWords() {
    const same = JSON.stringify(state.models) === JSON.stringify(chosenModels());
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

  function showState() {
    if (!state) return;
    const box = document.getElementById("chat-state");
    const same = JSON.stringify(state.models) === JSON.stringify(chosenModels());
    const isLive = ["waiting", "loading", "ready"].includes(state.state);
    box.dataset.state = state.state === "ready" && !same ? "other" : state.state;
    const words = box.querySelector("[data-words]");
    if (words.textContent !== stateWords()) words.textContent = stateWords();
    box.querySelector("progress").classList.toggle("hidden", state.state !== "loading");
    box.querySelector("[data-acts]").replaceChildren(...blockedActs(state.blocked));
    const said = box.querySelector("[data-said]");
    // Read aloud once a state, not once a second.
    if (said.dataset.state !== box.dataset.state) said.textContent = stateWords();
    said.dataset.state = box.dataset.state;
    const unloads = isLive && same;
    loadButton.dataset.act = unloads ? "unload" : "load";
    loadButton.textContent = !unloads ? texts.load : state.state === "waiting" ? texts.give_up : texts.unload;
    for (const mark of turns.querySelectorAll("[data-live]")) {
      const waits = isLive && state.state !== "ready";
      mark.textContent = waits ? texts.waiting : texts.writing;
    }
  }

  async function look() {
    clearTimeout(timer);
    try {
      if (!document.hidden) state = await metier.call("GET", "/api/v1/chat/state");
      showState();
    } catch {
      // The server is away for a moment: the next look tells.
    }
    const soon = live.size || ["waiting", "loading"].includes(state?.state);
    timer = setTimeout(look, soon ? 1000 : 8000);
  }

  async function act(address, body) {
    try {
      state = await metier.call("POST", address, body);
      held.classList.add("hidden");
    } catch (error) {
      if (error.problem?.code === "workbench.chat_held") offerToWait(error, () => act(address, { ...body, wait: true }));
      else metier.say(error.message, "problem");
    }
    await look();
  }

  loadButton.addEventListener("click", () => {
    if (loadButton.dataset.act === "unload") act("/api/v1/chat/unload", {});
    else act("/api/v1/chat/load", { models: chosenModels() });
  });

  function offerToWait(error, again) {
    held.querySelector("[data-words]").textContent = error.message;
    const acts = [button(texts.wait, () => { held.classList.add("hidden"); again(); }), ...blockedActs(state?.blocked)];
    acts.push(button(texts.cancel, () => held.classList.add("hidden")));
    held.querySelector("[data-acts]").replaceChildren(...acts);
    held.classList.remove("hidden");
  }

  // Asking

  async function keepSetup() {
    const body = chosen();
    const asText = JSON.stringify(body);
    if (chat && asText === kept) return;
    if (!chat) {
      chat = (await metier.call("POST", "/api/v1/chats", body)).id;
    } else {
      await metier.call("PATCH", `/api/v1/chats/${chat}`, { setup: body });
    }
    kept = asText;
  }

  // Sends a question in one of three ways; where no device is free, waiting is offered and the words stay.
  async function send(method, address, body, done = () => {}) {
    if (sending || !settingsAreRight()) return;
    sending = true;
    showSending();
    try {
      await keepSetup();
      await metier.call(method, `/api/v1/chats/${chat}${address}`, body);
      sending = false;
      held.classList.add("hidden");
      done();
      if (!root.dataset.chat) {
        location.replace(`/chat/${chat}`); // the page of the chat that has just begun
        return;
      }
      await showTurns();
      follow();
    } catch (error) {
      if (error.problem?.code === "workbench.chat_held") {
        await look();
        offerToWait(error, () => send(method, address, { ...body, wait: true }, done));
      } else {
        metier.say(error.message, "problem");
      }
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
    const writes = live.size > 0;
    stopButton.classList.toggle("hidden", !writes);
    sendButton.classList.toggle("hidden", writes);
    sendButton.toggleAttribute("disabled", sending);
  }

  function grow() {
    const field = asking.text;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 240)}px`;
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
    metier.call("POST", `/api/v1/chats/${chat}/stop`).catch((error) => metier.say(error.message, "problem"))
      .finally(() => stopButton.removeAttribute("disabled"));
  });

  // Answers

  const atEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 120;
  const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);

  async function part(address) {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(response.statusText);
    return response.text();
  }

  async function showTurns() {
    turns.innerHTML = await part(`/chat/${chat}/turns${location.search.includes("all=true") ? "?all=true" : ""}`);
    document.getElementById("chat-empty").classList.add("hidden");
    metier.writeTimes(turns);
    toEnd();
  }

  // The last text node takes what comes, so that a long answer is not written anew with each word.
  function put(turn, kind, text, anew) {
    const article = document.getElementById(`turn-${turn}`);
    const target = article?.querySelector(kind === "thinking" ? ".thinking-text" : ".answer-text");
    if (!target) return;
    if (anew) target.textContent = text;
    else if (text) (target.lastChild ?? target.appendChild(document.createTextNode(""))).data += text;
    if (kind === "thinking" && text) article.querySelector(".thinking").classList.remove("hidden");
  }

  async function finish(turn) {
    live.delete(turn);
    const follows = atEnd();
    const old = document.getElementById(`turn-${turn}`);
    const opened = old?.querySelector(".thinking")?.open;
    const template = document.createElement("template");
    template.innerHTML = await part(`/chat/${chat}/turns/${turn}`);
    const fresh = template.content.firstElementChild;
    if (opened) fresh.querySelector(".thinking").open = true;
    old?.replaceWith(fresh);
    if (follows) toEnd();
    showSending();
    look();
  }

  // Follows what is being written until it has ended. A stream is open only that long: a browser has few at once.
  function follow() {
    source?.close();
    source = new EventSource(`/api/v1/chats/${chat}/events`);
    source.addEventListener("turns", async (event) => {
      lost = false;
      const value = JSON.parse(event.data);
      const writing = new Set(value.turns.map((turn) => turn.id));
      const known = [...writing].every((id) => document.getElementById(`turn-${id}`));
      const shown = turns.querySelectorAll("[data-turn]").length;
      // After a lost connection, or in another tab, there may be more to see, or answers that have ended since.
      if (!known || (shown !== value.count && !turns.querySelector(".chat-earlier"))) await showTurns();
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
    source.addEventListener("end", (event) => finish(JSON.parse(event.data).id));
    for (const last of ["done", "gone"]) source.addEventListener(last, () => source.close());
    source.addEventListener("error", () => {
      if (!lost && live.size) metier.say(texts.lost);
      lost = true;
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
    });
  }

  const isLast = (turn) => document.getElementById(`turn-${turn}`)?.closest(".exchange") === turns.lastElementChild;

  turns.addEventListener("click", (event) => {
    const again = event.target.closest("[data-again]");
    if (again && !live.size && (isLast(again.dataset.again) || confirm(texts.replaces))) {
      send("POST", `/turns/${again.dataset.again}/regenerate`, {});
    }
    const edit = event.target.closest("[data-edit]");
    if (edit && !live.size) editQuestion(edit.dataset.edit);
  });

  function editQuestion(turn) {
    const box = document.getElementById(`turn-${turn}`);
    const words = box.querySelector(".question-text");
    const form = document.createElement("form");
    const field = document.createElement("textarea");
    field.className = "form-control";
    field.value = words.textContent;
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

  // Earlier chats

  const list = document.getElementById("chat-list");
  let typed = 0;
  async function findChats(after = "") {
    const search = document.getElementById("chat-search").value;
    const query = new URLSearchParams({ search, here: chat, ...(after ? { after } : {}) });
    try {
      const html = await part(`/chat/list?${query}`);
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
  document.getElementById("chat-search").addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(findChats, 250);
  });
  list.addEventListener("click", (event) => {
    const more = event.target.closest("[data-after]");
    if (more) findChats(more.dataset.after);
  });

  document.addEventListener("click", (event) => {
    const open = event.target.closest("[data-open]");
    if (open) document.getElementById(open.dataset.open).showModal();
    const close = event.target.closest("[data-close]");
    if (close) document.getElementById(close.dataset.close).close();
  });

  document.getElementById("chat-idle")?.addEventListener("change", async (event) => {
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
  setup.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    look();
    if (chat && !live.size && !sending) follow(); // another tab may have asked
  });
  if (matchMedia("(max-width: 760px)").matches) document.getElementById("chat-history").open = false;
  addEventListener("pagehide", () => source?.close());
  document.addEventListener("DOMContentLoaded", () => {
    showChoice();
    if (chat) kept = JSON.stringify(chosen());
    look();
    if (chat) follow();
    if (turns.children.length) toEnd();
  });
})();
