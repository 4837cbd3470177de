// Parts of a page that change by themselves, and the queue whose order is dragged or moved with its buttons.
"use strict";
(() => {
  const EVERY = 2000;
  let dragged = null;

  async function refresh(part) {
    if (document.hidden || dragged) return;
    let response;
    try {
      response = await fetch(part.dataset.live, { headers: { Accept: "text/html", "HX-Request": "true" } });
    } catch {
      return; // the server is away: what is shown stays until it is back
    }
    if (response.headers.get("HX-Redirect")) location.reload();
    if (!response.ok || response.status === 204 || dragged) return;
    const text = await response.text();
    if (text === part.metierText) return;
    part.metierText = text;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.innerHTML = text;
    metier.writeTimes(part);
    if (focused) document.getElementById(focused)?.focus();
  }

  const waiting = (queue) => [...queue.querySelectorAll("[data-waits]")];

  async function place(row, before) {
    const queue = row.closest("[data-queue]");
    const button = document.activeElement?.id;
    before ? before.before(row) : waiting(queue).at(-1).after(row);
    if (button) document.getElementById(button)?.focus();
    try {
      await metier.call("PUT", `/api/v1/jobs/${row.dataset.id}/place`, { before: before?.dataset.id ?? null });
      const at = waiting(queue).indexOf(row) + 1;
      metier.say(JSON.parse(queue.dataset.texts).moved.replace("{place}", at));
    } catch (error) {
      metier.say(error.message, "problem");
    }
    const part = row.closest("[data-live]");
    if (part) refresh(part);
  }

  document.addEventListener("click", async (event) => {
    const mover = event.target.closest("[data-up], [data-down]");
    if (mover) {
      const row = mover.closest("[data-waits]");
      const rows = waiting(row.closest("[data-queue]"));
      const at = rows.indexOf(row);
      if ("up" in mover.dataset && at > 0) await place(row, rows[at - 1]);
      if ("down" in mover.dataset && at < rows.length - 1) await place(row, rows[at + 2] ?? null);
    }
    const unload = event.target.closest("[data-unload]");
    if (unload) {
      unload.disabled = true;
      try {
        await metier.call("POST", "/api/v1/chat/unload", { host: unload.dataset.unload });
      } catch (error) {
        metier.say(error.message, "problem");
        unload.disabled = false;
        return;
      }
      const part = unload.closest("[data-live]");
      part ? refresh(part) : unload.remove();
    }
  });

  document.addEventListener("dragstart", (event) => {
    const row = event.target.closest?.("[data-waits]");
    if (!row) return;
    dragged = row;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.dataset.id);
    row.classList.add("dragged");
  });
  document.addEventListener("dragover", (event) => {
    const over = dragged && event.target.closest?.("[data-waits]");
    if (!over) return;
    event.preventDefault();
    if (over === dragged) return;
    const box = over.getBoundingClientRect();
    event.clientY < box.top + box.height / 2 ? over.before(dragged) : over.after(dragged);
  });
  document.addEventListener("drop", (event) => {
    if (dragged) event.preventDefault();
  });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    const row = dragged;
    dragged = null;
    row.classList.remove("dragged");
    const rows = waiting(row.closest("[data-queue]"));
    place(row, rows[rows.indexOf(row) + 1] ?? null);
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const part of document.querySelectorAll("[data-live]")) {
      setInterval(() => refresh(part), EVERY);
      document.addEventListener("visibilitychange", () => refresh(part));
    }
  });
})();
