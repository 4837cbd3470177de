// A report's page: while it is read, how far; then a figure that is clicked is marked where it stands.
"use strict";
(() => {
  const root = document.getElementById("findings");
  const { id, state } = root.dataset;
  const texts = JSON.parse(root.dataset.texts);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  // While it is read

  async function look() {
    const words = document.getElementById("findings-state");
    const bar = document.getElementById("findings-bar");
    try {
      const now = await metier.call("GET", `/api/v1/findings/${id}`);
      if (!["queued", "running"].includes(now.state) || now.state !== state) return location.reload();
      if (now.pages) {
        bar.max = now.pages;
        bar.value = now.page ?? 0;
        words.textContent = fill(texts.reading_page, now);
      }
    } catch {
      // The server is away for a moment: the next look tells.
    }
    setTimeout(look, 700);
  }
  if (state !== "done") {
    if (["queued", "running"].includes(state)) setTimeout(look, 500);
    return;
  }

  // Places

  const source = root.querySelector(".findings-source");
  const picture = root.querySelector(".findings-picture");
  let asked = 0;

  function turnTo(page) {
    if (Number(picture.dataset.page) === page) return;
    picture.dataset.page = page;
    const image = picture.querySelector("img");
    image.src = `/api/v1/findings/${id}/pages/${page}/picture?width=1200`;
    image.alt = fill(texts.page_of, { page, pages: picture.dataset.pages });
    document.getElementById("findings-page").textContent = image.alt;
    for (const mark of picture.querySelectorAll("svg")) mark.remove();
  }

  function mark(boxes, label) {
    const space = "http://www.w3.org/2000/svg";
    const marks = document.createElementNS(space, "svg");
    const facts = { class: "knowledge-marks", viewBox: "0 0 1 1", preserveAspectRatio: "none", role: "img" };
    for (const [name, value] of Object.entries({ ...facts, "aria-label": label })) marks.setAttribute(name, value);
    for (const [left, top, right, bottom] of boxes) {
      const shape = document.createElementNS(space, "rect");
      for (const [name, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) {
        shape.setAttribute(name, value);
      }
      marks.append(shape);
    }
    picture.append(marks);
    if (!boxes.length) return;
    const place = picture.getBoundingClientRect();
    const middle = place.top + boxes[0][1] * place.height;
    const bar = document.querySelector(".side")?.getBoundingClientRect();
    const covered = bar && bar.width > innerWidth / 2 ? bar.height : 0;
    if (source.scrollHeight > source.clientHeight + 1) {
      source.scrollTop += middle - source.getBoundingClientRect().top - source.clientHeight / 2;
    } else if (middle < covered + 20 || middle > innerHeight - 20) {
      scrollBy({ top: middle - innerHeight / 3, behavior: "smooth" });
    }
  }

  // Words of the text have no place of their own on the picture: where they stand is asked for.
  async function boxesOf(spot) {
    if (spot.box) return [spot.box];
    if (spot.end <= spot.start) return [];
    const found = await metier.call("GET", `/api/v1/findings/${id}/boxes?start=${spot.start}&end=${spot.end}`);
    return found.filter((box) => box.page === spot.page).map((box) => [box.left, box.top, box.right, box.bottom]);
  }

  async function showOnPage(spots, label) {
    const mine = (asked += 1);
    const { page } = spots[0];
    turnTo(page);
    for (const old of picture.querySelectorAll("svg")) old.remove();
    try {
      const boxes = (await Promise.all(spots.filter((spot) => spot.page === page).map(boxesOf))).flat();
      if (mine === asked) mark(boxes, fill(texts.marked, { label }));
    } catch (error) {
      metier.say(error.message, "problem");
    }
  }

  function showInTables(spots) {
    for (const old of source.querySelectorAll("td.marked")) old.classList.remove("marked");
    const cells = spots.map((spot) => source.querySelector(`[data-table="${spot.table}"] [data-cell="${spot.cell}"]`));
    for (const cell of cells) cell?.classList.add("marked");
    const first = cells.find(Boolean) ?? source.querySelector(`[data-table="${spots[0].table}"]`);
    first?.scrollIntoView({ block: "center", inline: "nearest", behavior: "smooth" });
  }

  root.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-spots]");
    const spots = chip ? JSON.parse(chip.dataset.spots) : [];
    if (spots.length) {
      for (const one of root.querySelectorAll("[data-spots][aria-pressed=true]")) one.setAttribute("aria-pressed", "false");
      chip.setAttribute("aria-pressed", "true");
      if (picture) showOnPage(spots, chip.textContent.trim());
      else showInTables(spots);
    }
    const turn = event.target.closest("[data-turn]");
    if (turn) {
      const page = Number(picture.dataset.page) + Number(turn.dataset.turn);
      if (page >= 1 && page <= Number(picture.dataset.pages)) turnTo(page);
    }
  });

  document.getElementById("findings-again").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const wish = { question: form.question.value.trim(), rules: form.rules.value.trim() };
    const body = { ...wish, specialist: form.specialist?.value ?? "" };
    try {
      location.href = `/findings/${(await metier.call("POST", `/api/v1/findings/${id}/again`, body)).id}`;
    } catch (error) {
      metier.say(error.message, "problem");
    }
  });
})();
