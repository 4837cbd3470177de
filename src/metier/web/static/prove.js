// The form of a proof: says what it takes, a moment after the last change.
"use strict";
(() => {
  const form = document.getElementById("prove-form");
  const place = document.getElementById("prove-plan");
  let waiting = 0, asking = false, again = false;

  async function look() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    again = false;
    try {
      const answer = await fetch(form.dataset.plan, { method: "POST", body: new FormData(form), headers: { Accept: "text/html" } });
      if (answer.status === 202) setTimeout(look, 2000);
      else if (answer.ok) place.innerHTML = await answer.text(); // made by the server's templates, everything in it escaped
    } catch {
      place.textContent = ""; // the server is away: an estimate is not worth a word
    } finally {
      asking = false;
      if (again) look();
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 500);
  });
  look();
})();
