// A report in its frame: as high as its content, printed by itself, and shared by links that expire.
"use strict";
(() => {
  const frame = document.getElementById("report");
  const share = document.getElementById("share");
  const list = document.getElementById("share-list");

  // The frame has no scrollbar of its own: it grows and shrinks with what is folded open in it.
  function fit() {
    const inside = frame.contentDocument?.documentElement;
    if (!inside) return;
    const resize = () => { frame.style.height = `${Math.ceil(inside.getBoundingClientRect().height)}px`; };
    new ResizeObserver(resize).observe(inside);
    resize();
  }
  frame.addEventListener("load", fit);
  if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.URL !== "about:blank") fit();

  document.getElementById("print").addEventListener("click", () => {
    frame.contentWindow.focus();
    frame.contentWindow.print();
  });

  document.getElementById("share-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const days = Number(event.target.elements.days.value);
    try {
      const made = await metier.call("POST", share.dataset.address, { days });
      document.getElementById("share-link").textContent = new URL(made.address, location.href).href;
      document.getElementById("share-new").classList.remove("hidden");
      const entry = document.getElementById("share-entry").content.firstElementChild.cloneNode(true);
      entry.dataset.share = made.id;
      entry.querySelector("time").dateTime = made.expires;
      list.prepend(entry);
      metier.writeTimes(entry);
    } catch (error) {
      metier.say(error.message, "problem");
    }
  });

  list.addEventListener("click", async (event) => {
    const entry = event.target.closest("li");
    if (!event.target.closest("button") || !confirm(share.dataset.ask)) return;
    try {
      await metier.call("DELETE", `${share.dataset.address}/${entry.dataset.share}`);
      entry.remove();
    } catch (error) {
      metier.say(error.message, "problem");
    }
  });
})();
