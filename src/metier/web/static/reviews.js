// Keys of the judging: 1–4 or the arrows choose, B and N turn the page, Z takes the last word back.
"use strict";
(() => {
  const arrows = { ArrowLeft: "1", ArrowRight: "2", ArrowUp: "3", ArrowDown: "4" };
  let sent = false;

  document.addEventListener("keydown", (event) => {
    if (sent || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest?.("textarea, input, select, summary")) return;
    const key = arrows[event.key] ?? event.key.toLowerCase();
    const found = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
    if (!found) return;
    event.preventDefault();
    // A form that waits for an answer in some dimension is not sent: the next key counts again.
    sent = found.form?.checkValidity() ?? true;
    found.click();
  });
  window.addEventListener("pageshow", () => { sent = false; });
})();
