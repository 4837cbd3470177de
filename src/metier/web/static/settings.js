// Brings the chosen section into sight on a phone, and counts the data folder's size when somebody looks.
"use strict";
(() => {
  const units = ["B", "KB", "MB", "GB", "TB"];

  function words(bytes) {
    let value = bytes;
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit += 1;
    }
    return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
  }

  document.addEventListener("DOMContentLoaded", async () => {
    const list = document.querySelector(".section-list");
    const here = list?.querySelector(".here");
    if (here) list.scrollLeft = here.offsetLeft - list.offsetLeft - 16;
    for (const element of document.querySelectorAll("[data-size-of]")) {
      try {
        element.textContent = words((await metier.call("GET", element.dataset.sizeOf)).bytes);
      } catch (error) {
        element.textContent = "–";
        metier.say(error.message, "problem");
      }
    }
  });
})();
