// Loss curves of several runs over each other.
"use strict";
(() => {
  const box = document.getElementById("curves");
  if (!box || !window.echarts) return;
  const texts = JSON.parse(box.dataset.texts);
  const note = document.getElementById("curves-note");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const named = JSON.parse(box.dataset.named); // each run's letter, and the colour that goes with it
  const palette = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"];
  let chart = null;
  let runs = [];
  let axis = "steps";

  function tell(text) {
    note.textContent = text;
    note.classList.toggle("hidden", !text);
  }

  // Evaluations are told by step: their tokens are those of the training's nearest report.
  function across(run, step) {
    if (axis === "steps") return step;
    const at = run.steps.findIndex((one) => one >= step);
    return at < 0 ? run.tokens[run.tokens.length - 1] : run.tokens[at];
  }

  function seriesOf(run) {
    if (axis === "tokens" && run.tokens.some((one) => typeof one !== "number")) return [];
    const { letter, place } = named[run.run];
    const color = colour(palette[place % palette.length]);
    const common = { type: "line", showSymbol: false, animation: false, sampling: "lttb", color };
    const lines = [{ ...common, name: `${letter} · ${texts.train} · ${run.title}`, data: run.steps.map((step, index) => [across(run, step), run.loss[index]]), lineStyle: { width: 1.5 } }];
    if (run.eval_steps.length) {
      lines.push({ ...common, name: `${letter} · ${texts.evaluation} · ${run.title}`, data: run.eval_steps.map((step, index) => [across(run, step), run.eval_loss[index]]), lineStyle: { width: 2, type: "dashed" }, showSymbol: true, symbolSize: 5 });
    }
    return lines;
  }

  function draw() {
    const series = runs.filter((run) => run.steps.length || run.eval_steps.length).flatMap(seriesOf);
    const left = axis === "tokens" && runs.some((run) => run.steps.length && run.tokens.some((one) => typeof one !== "number"));
    tell(left ? texts.no_tokens : "");
    const ink = colour("--ink");
    const line = colour("--line");
    const quiet = colour("--quiet");
    chart.setOption({
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
      grid: { left: 52, right: 16, top: 64, bottom: 56 },
      legend: { type: "scroll", top: 0, left: 0, textStyle: { color: ink, width: 260, overflow: "truncate" }, pageTextStyle: { color: quiet }, pageIconColor: ink, pageIconInactiveColor: line, tooltip: { show: true } },
      tooltip: { trigger: "axis", confine: true, renderMode: "richText", valueFormatter: (value) => (typeof value === "number" ? value.toFixed(4) : "–") },
      xAxis: { type: "value", name: texts[`axis_${axis}`], nameLocation: "middle", nameGap: 28, nameTextStyle: { color: quiet }, axisLabel: { color: quiet }, splitLine: { show: false } },
      yAxis: { type: "value", name: texts.loss, scale: true, nameTextStyle: { color: quiet }, axisLabel: { color: quiet }, splitLine: { lineStyle: { color: line } } },
      dataZoom: [{ type: "inside", filterMode: "none" }],
      series,
    }, true);
  }

  for (const button of document.querySelectorAll("[data-axis]")) {
    button.addEventListener("click", () => {
      axis = button.dataset.axis;
      for (const one of document.querySelectorAll("[data-axis]")) {
        one.classList.toggle("on", one === button);
        one.setAttribute("aria-pressed", String(one === button));
      }
      if (chart) draw();
    });
  }

  async function begin() {
    const query = box.dataset.runs.split(",").map((id) => `runs=${encodeURIComponent(id)}`).join("&");
    try {
      runs = await metier.call("GET", `/api/v1/compare/curves?${query}`);
    } catch (error) {
      tell(error.message || texts.failed);
      return;
    }
    if (!runs.some((run) => run.steps.length || run.eval_steps.length)) {
      box.classList.add("hidden");
      tell(texts.none);
      return;
    }
    chart = echarts.init(box, null, { renderer: "canvas" });
    draw();
    new ResizeObserver(() => chart.resize()).observe(box);
    new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  }

  document.addEventListener("DOMContentLoaded", begin);
})();
