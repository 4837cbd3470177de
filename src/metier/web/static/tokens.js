// Arrow keys lead from row to row, as long as nothing is being typed.
"use strict";
(() => {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, [tabindex]:not(main)")) return;
    const link = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    const address = link && document.getElementById(link)?.getAttribute("href");
    if (address) location.href = address;
  });
})();
