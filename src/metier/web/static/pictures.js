// Pictures that a question is about: chosen, dropped or pasted, sent at once, shown small, and taken back before asking.
"use strict";
(() => {
  // name: what the ids of the page's parts begin with; texts: of its script.
  function metierPictures(name, texts) {
    const byId = (which) => document.getElementById(`${name}-${which}`);
    const [input, attach, list, why, asking] = ["picture", "attach", "pictures", "attach-why", "ask"].map(byId);
    const most = Number(input.dataset.most);
    const mostBytes = Number(input.dataset.mostBytes);
    let refused = "";
    let there = []; // {id, item, file}; id is empty while it is on its way

    function show() {
      list.classList.toggle("hidden", !there.length);
    }

    // reason: why the chosen model cannot be asked about pictures, empty where it can.
    function allow(reason) {
      refused = reason;
      attach.toggleAttribute("disabled", Boolean(reason));
      attach.title = reason || texts.attach;
      why.textContent = reason;
      why.classList.toggle("hidden", !reason);
    }

    function take(files) {
      const pictures = [...files].filter((file) => file.type.startsWith("image/") || !file.type);
      if (!pictures.length) return;
      if (refused) return metier.say(refused, "problem");
      for (const file of pictures) {
        if (there.length >= most) {
          metier.say(texts.picture_many.replace("{most}", most), "problem");
          return;
        }
        if (file.size > mostBytes) metier.say(texts.picture_too_large.replace("{name}", file.name), "problem");
        else send(file);
      }
    }

    function itemOf(file) {
      const item = document.createElement("li");
      const seen = document.createElement("img");
      seen.src = URL.createObjectURL(file);
      seen.alt = file.name;
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", texts.picture_sending.replace("{name}", file.name));
      const away = document.createElement("button");
      away.type = "button";
      away.className = "chat-picture-away";
      away.textContent = "×";
      away.title = texts.picture_remove.replace("{name}", file.name);
      away.setAttribute("aria-label", away.title);
      item.append(seen, bar, away);
      return item;
    }

    function send(file) {
      const one = { id: "", item: itemOf(file), request: metier.upload("/api/v1/pictures", file) };
      there.push(one);
      list.append(one.item);
      show();
      one.item.querySelector("button").addEventListener("click", () => takeBack(one));
      const { request } = one;
      request.addEventListener("load", () => {
        const { answer, problem } = metier.uploaded(request);
        if (problem) return failed(one, problem);
        one.id = answer.id;
        one.item.querySelector("progress").remove();
        const seen = one.item.querySelector("img");
        seen.addEventListener("error", () => { seen.src = `/api/v1/pictures/${one.id}`; }, { once: true });
        if (seen.complete && !seen.naturalWidth) seen.src = `/api/v1/pictures/${one.id}`; // a kind browsers do not show
      });
      request.addEventListener("error", () => failed(one, texts.picture_broken));
      request.send(file);
    }

    function failed(one, words) {
      drop(one);
      metier.say(words, "problem");
    }

    function drop(one) {
      there = there.filter((other) => other !== one);
      one.item.remove();
      show();
    }

    function takeBack(one) {
      one.request.abort();
      drop(one);
      asking.text.focus();
      if (one.id) metier.call("DELETE", `/api/v1/pictures/${one.id}`).catch(() => {}); // else it is cleared away later
    }

    // What the question is asked with; null while a picture is on its way.
    function chosen() {
      if (there.some((one) => !one.id)) return null;
      return there.length ? { pictures: there.map((one) => one.id) } : {};
    }

    function clear() {
      there = [];
      list.replaceChildren();
      show();
    }

    attach.addEventListener("click", () => input.click());
    input.addEventListener("change", () => { take([...input.files]); input.value = ""; });
    asking.text.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return; // words are pasted as ever
      event.preventDefault();
      take(files);
    });
    let inside = 0;
    const isFile = (event) => event.dataTransfer?.types.includes("Files");
    const over = () => asking.classList.toggle("over", inside > 0);
    addEventListener("dragenter", (event) => { if (isFile(event)) { inside += 1; over(); } });
    addEventListener("dragleave", () => { inside = Math.max(0, inside - 1); over(); });
    addEventListener("dragover", (event) => { if (isFile(event)) event.preventDefault(); });
    addEventListener("drop", (event) => {
      if (!isFile(event)) return;
      event.preventDefault();
      inside = 0;
      over();
      take(event.dataTransfer.files);
    });
    return { allow, chosen, clear };
  }

  window.metierPictures = metierPictures;
})();
