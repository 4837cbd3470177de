// A document's page opens where a passage stands: in the text, and in the list beside it.
"use strict";
(() => {
  function bring(element) {
    const box = element?.closest(".words, ol");
    if (box && box.scrollHeight > box.clientHeight) {
      box.scrollTop += element.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    bring(document.getElementById("place"));
    bring(document.querySelector(".knowledge-list [aria-current]"));
    const number = document.querySelector(".knowledge-turn input");
    number?.addEventListener("change", () => number.form.requestSubmit());
  });
})();
