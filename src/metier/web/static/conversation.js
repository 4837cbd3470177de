// What the chat page and the assistant share: what is loaded, asking, answers while they are written, earlier conversations.
"use strict";
(() => {
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

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const articleOf = (turn) => document.getElementById(`turn-${turn}`);
  const atEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 120;
  const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);

  // The last text node takes what comes, so that a long answer is not written anew with each word.
  function put(turn, kind, text, anew) {
    const article = articleOf(turn);
    const target = article?.querySelector(kind === "thinking" ? ".thinking-text" : ".answer-text");
    if (!target) return;
    if (anew) target.textContent = text;
    else if (text) (target.lastChild ?? target.appendChild(document.createTextNode(""))).data += text;
    if (kind === "thinking" && text) article.querySelector(".thinking").classList.remove("hidden");
  }

  // name: of the page's address, and what the ids of its parts begin with. page: what is its own:
  //   api: where its conversations are kept; narrow: from which width in pixels on earlier ones are folded;
  //   chosen(): what the next question is asked with; showState(state): says what is loaded;
  //   and where it has them: isRight() whether it may be sent, more() what goes with the words and sent() once it has
  //   gone, freeing(state) buttons beside "wait", looks() whether
  //   anything is loaded here at all, known(turn) where something was learnt about an answer.
  function conversation(name, page) {
    const root = document.getElementById(name);
    const element = (which) => document.getElementById(`${name}-${which}`);
    const texts = JSON.parse(root.dataset.texts);
    const [turns, asking, held] = ["turns", "ask", "held"].map(element);
    const [sendButton, stopButton] = ["send", "stop"].map(element);
    const live = new Set();
    const talk = { root, texts, element, turns, asking, live, chat: root.dataset.chat, state: null };
    const address = (rest = "") => `${page.api}/${talk.chat}${rest}`;
    let kept = "";
    let source = null;
    let sending = false;
    let timer = 0;
    let lost = false;

    // What is loaded

    // words: of what is loaded; they are read aloud once a state, not once a second.
    function writeState(state, words) {
      const box = element("state");
      box.dataset.state = state;
      const shown = box.querySelector("[data-words]");
      if (shown.textContent !== words) shown.textContent = words;
      const said = box.querySelector("[data-said]");
      if (said.dataset.state !== state) said.textContent = words;
      said.dataset.state = state;
      box.querySelector("progress").classList.toggle("hidden", state !== "loading");
    }

    async function look() {
      clearTimeout(timer);
      try {
        if (!document.hidden && (page.looks?.() ?? true)) talk.state = await metier.call("GET", "/api/v1/chat/state");
        page.showState(talk.state);
      } catch {
        // The server is away for a moment: the next look tells.
      }
      const soon = live.size || ["waiting", "loading"].includes(talk.state?.state);
      timer = setTimeout(look, soon ? 1000 : 8000);
    }

    async function act(where, body) {
      try {
        talk.state = await metier.call("POST", where, body);
        held.classList.add("hidden");
      } catch (error) {
        if (isHeld(error)) offerToWait(error, () => act(where, { ...body, wait: true }));
        else metier.say(error.message, "problem");
      }
      await look();
    }

    const isHeld = (error) => error.problem?.code === "workbench.chat_held";

    function offerToWait(error, again) {
      held.querySelector("[data-words]").textContent = error.message;
      const hide = () => held.classList.add("hidden");
      const wait = button(texts.wait, () => { hide(); again(); });
      const acts = [wait, ...(page.freeing?.(talk.state) ?? []), button(texts.cancel, hide)];
      held.querySelector("[data-acts]").replaceChildren(...acts);
      held.classList.remove("hidden");
    }

    // Asking

    async function keepSetup() {
      const body = page.chosen();
      const asText = JSON.stringify(body);
      if (talk.chat && asText === kept) return;
      if (talk.chat) await metier.call("PATCH", address(), { setup: body });
      else talk.chat = (await metier.call("POST", page.api, body)).id;
      kept = asText;
    }

    // Sends a question in one of three ways; where no device is free, waiting is offered and the words stay.
    async function send(method, rest, body, done = () => {}) {
      if (sending || !(page.isRight?.() ?? true)) return;
      sending = true;
      showSending();
      try {
        await keepSetup();
        await metier.call(method, address(rest), body);
        sending = false;
        held.classList.add("hidden");
        done();
        if (!root.dataset.chat) {
          location.replace(`/${name}/${talk.chat}`); // the page of the conversation that has just begun
          return;
        }
        await showTurns();
        follow();
      } catch (error) {
        if (isHeld(error)) {
          await look();
          offerToWait(error, () => send(method, rest, { ...body, wait: true }, done));
        } else {
          metier.say(error.message, "problem");
        }
      } finally {
        sending = false;
        showSending();
        look();
      }
    }

    // What goes with the words, such as pictures; null while it is still on its way.
    function ask() {
      const text = asking.text.value.trim();
      const more = page.more ? page.more() : {};
      if (live.size || more === null || (!text && !Object.keys(more).length)) return;
      send("POST", "/questions", { text, ...more }, () => { write(""); page.sent?.(); });
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

    function write(question) {
      asking.text.value = question;
      grow();
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
      metier.call("POST", address("/stop")).catch((error) => metier.say(error.message, "problem"))
        .finally(() => stopButton.removeAttribute("disabled"));
    });

    // Answers

    async function showTurns() {
      const all = location.search.includes("all=true") ? "?all=true" : "";
      turns.innerHTML = await part(`/${name}/${talk.chat}/turns${all}`);
      element("empty").classList.add("hidden");
      metier.writeTimes(turns);
      toEnd();
    }

    async function fresh(turn) {
      const template = document.createElement("template");
      template.innerHTML = await part(`/${name}/${talk.chat}/turns/${turn}`);
      return template.content.firstElementChild;
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

    // Whether each turn is on the page. After a lost connection, or in another tab, there may be more to see, or answers
    // that have ended since.
    function isWhole(writing, count) {
      const shown = turns.querySelectorAll(".question[data-turn], article[data-turn]").length;
      return [...writing].every(articleOf) && (shown === count || turns.querySelector(".chat-earlier") !== null);
    }

    // Follows what is being written until it has ended. A stream is open only that long: a browser has few at once.
    function follow() {
      source?.close();
      source = new EventSource(address("/events"));
      source.addEventListener("turns", async (event) => {
        lost = false;
        const value = JSON.parse(event.data);
        const writing = new Set(value.turns.map((turn) => turn.id));
        if (!isWhole(writing, value.count)) await showTurns();
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
      source.addEventListener("known", (event) => page.known?.(JSON.parse(event.data).id));
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
        if ((text || box.querySelector(".question-pictures")) && (isLast(turn) || confirm(texts.replaces))) send("PUT", `/questions/${turn}`, { text }, close);
      });
      anew.classList.add("btn-primary");
      acts.append(anew, button(texts.cancel, close));
      form.append(field, acts);
      box.append(form);
      box.classList.add("edited");
      field.focus();
    }

    // Earlier conversations

    const [list, search] = ["list", "search"].map(element);
    let typed = 0;
    async function find(after = "") {
      const query = new URLSearchParams({ search: search.value, here: talk.chat, ...(after ? { after } : {}) });
      try {
        const html = await part(`/${name}/list?${query}`);
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

    element("setup").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      look();
      if (talk.chat && !live.size && !sending) follow(); // another tab may have asked
    });
    if (matchMedia(`(max-width: ${page.narrow}px)`).matches) element("history").open = false;
    addEventListener("pagehide", () => source?.close());

    // isKept: whether what is chosen on the page is what its conversation was kept with.
    function start(isKept) {
      if (talk.chat && isKept) kept = JSON.stringify(page.chosen());
      look();
      if (talk.chat) follow();
      if (turns.children.length) toEnd();
    }

    return Object.assign(talk, { act, fresh, keepSetup, start, write, writeState });
  }

  window.metierTalk = { conversation, articleOf, button, fill, part };
})();
