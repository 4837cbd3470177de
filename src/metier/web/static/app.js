// What every page needs: local times, questions before what cannot be undone, messages, and a word when a request fails.
"use strict";
(() => {
  const zone = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false };
  const language = document.documentElement.lang;

  function writeTimes(root) {
    for (const element of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(element.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      element.textContent = moment.toLocaleString(language === "zh-CN" ? "zh-CN" : "sv-SE", zone);
      element.title = moment.toLocaleString(language);
    }
  }

  function say(text, kind = "note") {
    const box = document.getElementById("toasts");
    if (!box || !text) return;
    const toast = document.createElement("div");
    toast.className = `toast-line toast-${kind}`;
    toast.textContent = text;
    box.append(toast);
    setTimeout(() => toast.remove(), kind === "problem" ? 12000 : 5000);
  }

  // A form or button with data-ask says what it would do and waits for a yes.
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.ask ?? event.target.dataset.ask;
    if (question && !confirm(question)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }, true);

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    const button = event.submitter;
    setTimeout(() => button?.setAttribute("disabled", ""), 0);
    setTimeout(() => button?.removeAttribute("disabled"), 8000);
  });

  document.addEventListener("click", async (event) => {
    const copier = event.target.closest("[data-copy]");
    if (copier) {
      const source = document.getElementById(copier.dataset.copy);
      try {
        await navigator.clipboard.writeText(source ? source.textContent : copier.dataset.copy);
        say(copier.dataset.copied ?? "✓");
      } catch {
        getSelection()?.selectAllChildren(source);
      }
    }
  });

  document.addEventListener("htmx:after:swap", (event) => writeTimes(event.target ?? document));
  document.addEventListener("htmx:error", () => say(document.body.dataset.offline ?? "…", "problem"));
  document.addEventListener("DOMContentLoaded", () => writeTimes(document));

  // One way for scripts of pages to call the API; a problem's own words become the error's message.
  async function call(method, address, body) {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    const response = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (response.status === 401) {
      location.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
      return new Promise(() => {});
    }
    const text = await response.text();
    const value = text ? JSON.parse(text) : null;
    if (!response.ok) {
      const error = new Error(value?.detail ?? response.statusText);
      error.status = response.status;
      error.problem = value;
      throw error;
    }
    return value;
  }

  // A request that is about to send a file as it is. Its name may be in any script: it goes with the address.
  function upload(address, file) {
    const request = new XMLHttpRequest();
    request.open("POST", `${address}?name=${encodeURIComponent(encodeURIComponent(file.name))}`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    return request;
  }

  // What a file was answered with: `answer`, or the `problem` in words.
  function uploaded(request) {
    let answer = null;
    try { answer = JSON.parse(request.responseText); } catch { /* no words: the status says it */ }
    if (answer && request.status >= 200 && request.status < 300) return { answer };
    return { problem: answer?.detail ?? `${request.status} ${request.statusText}` };
  }

  window.metier = { call, say, upload, uploaded, writeTimes };
})();
