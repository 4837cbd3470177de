// The curves of a training. All points are kept here; what is drawn is the visible stretch, thinned to the highest and
// lowest of each pixel or so, so that a hundred thousand points zoom as easily as a hundred.
"use strict";
(() => {
  const MEASURES = ["loss", "learning_rate", "tokens_per_second", "memory_bytes"];
  const STRETCHES = 700; // of which each gives at most two points to be drawn

  class Points {
    constructor() {
      this.steps = [];
      for (const name of MEASURES) this[name] = [];
      this.evalSteps = [];
      this.evalLoss = [];
      this.resumed = [];
      this.total = null;
    }

    static of(view) {
      const points = new Points();
      points.steps = view.steps;
      for (const name of MEASURES) points[name] = view[name];
      points.evalSteps = view.eval_steps;
      points.evalLoss = view.eval_loss;
      points.resumed = view.resumed;
      points.total = view.total;
      return points;
    }

    // One event of the stream; true if it changed a curve.
    add(event) {
      if (event.of !== "train") return false;
      if (event.event === "start" && Number.isInteger(event.resumed)) {
        this.goBack(event.resumed);
        this.total = event.total ?? this.total;
        return true;
      }
      if (event.event !== "progress" || !Number.isInteger(event.step)) return false;
      this.total = event.total ?? this.total;
      if (typeof event.loss === "number") this.put(event);
      if (typeof event.eval_loss === "number") {
        const at = lowest(this.evalSteps, event.step);
        const same = this.evalSteps[at] === event.step ? 1 : 0;
        this.evalSteps.splice(at, same, event.step);
        this.evalLoss.splice(at, same, event.eval_loss);
      }
      return true;
    }

    put(event) {
      const at = lowest(this.steps, event.step);
      const same = this.steps[at] === event.step ? 1 : 0;
      this.steps.splice(at, same, event.step);
      for (const name of MEASURES) this[name].splice(at, same, typeof event[name] === "number" ? event[name] : null);
    }

    // What an attempt does again after a kill counts once: the steps behind its checkpoint go.
    goBack(step) {
      const keep = lowest(this.steps, step + 1);
      for (const name of ["steps", ...MEASURES]) this[name].length = keep;
      this.evalSteps.length = this.evalLoss.length = lowest(this.evalSteps, step + 1);
      this.resumed = this.resumed.filter((one) => one < step);
      if (step) this.resumed.push(step);
    }

    // The later of two records counts, and behind it what only this one has.
    under(earlier) {
      const last = this.steps.at(-1) ?? -1;
      for (let at = lowest(earlier.steps, last + 1); at < earlier.steps.length; at += 1) {
        this.steps.push(earlier.steps[at]);
        for (const name of MEASURES) this[name].push(earlier[name][at]);
      }
      const lastEval = this.evalSteps.at(-1) ?? -1;
      for (let at = lowest(earlier.evalSteps, lastEval + 1); at < earlier.evalSteps.length; at += 1) {
        this.evalSteps.push(earlier.evalSteps[at]);
        this.evalLoss.push(earlier.evalLoss[at]);
      }
      return this;
    }

    get end() {
      return Math.max(this.total ?? 0, this.steps.at(-1) ?? 0, this.evalSteps.at(-1) ?? 0, 1);
    }
  }

  // The first index whose value is not below `value`.
  function lowest(values, value) {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // Exponential moving average, corrected for its beginning.
  function smoothed(values, weight) {
    if (!weight) return values;
    const found = new Array(values.length);
    let sum = 0;
    let norm = 0;
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at];
      if (value === null) {
        found[at] = null;
        continue;
      }
      sum = weight * sum + (1 - weight) * value;
      norm = weight * norm + (1 - weight);
      found[at] = sum / norm;
    }
    return found;
  }

  // Pairs to be drawn between two steps, with one point beyond each edge.
  function visible(steps, values, from, to) {
    const first = Math.max(0, lowest(steps, from) - 1);
    const end = Math.min(steps.length, lowest(steps, to + 1) + 1);
    const size = end - first;
    const pairs = [];
    if (size <= 2 * STRETCHES) {
      for (let at = first; at < end; at += 1) if (values[at] !== null) pairs.push([steps[at], values[at]]);
      return pairs;
    }
    for (let stretch = 0; stretch < STRETCHES; stretch += 1) {
      const begin = first + Math.floor((stretch * size) / STRETCHES);
      const stop = first + Math.floor(((stretch + 1) * size) / STRETCHES);
      let low = -1;
      let high = -1;
      for (let at = begin; at < stop; at += 1) {
        if (values[at] === null) continue;
        if (low < 0 || values[at] < values[low]) low = at;
        if (high < 0 || values[at] > values[high]) high = at;
      }
      if (low < 0) continue;
      for (const at of low === high ? [low] : [Math.min(low, high), Math.max(low, high)]) pairs.push([steps[at], values[at]]);
    }
    return pairs;
  }

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function short(value) {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    if (size >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
    if (size >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
    if (size >= 1000) return Math.round(value).toLocaleString();
    if (size && size < 0.001) return value.toExponential(2);
    return String(Number(value.toPrecision(4)));
  }

  // The loss with its zoom, and small charts that show the same steps.
  class Charts {
    constructor(box, small, texts) {
      this.points = new Points();
      this.smoothing = 0.6;
      this.window = null; // [from, to] in steps; null: all of them
      this.texts = texts;
      this.main = echarts.init(box);
      this.small = small.map((element) => ({ name: element.dataset.measure, chart: echarts.init(element) }));
      this.setUp();
      this.main.on("datazoom", () => this.zoomed());
      new ResizeObserver(() => this.each((chart) => chart.resize())).observe(box);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.setUp(); this.draw(); });
    }

    each(act) {
      act(this.main);
      for (const one of this.small) act(one.chart);
    }

    setUp() {
      const ink = colour("--quiet");
      const line = colour("--line");
      const axis = { axisLabel: { color: ink, formatter: short }, axisLine: { lineStyle: { color: line } }, splitLine: { lineStyle: { color: line } } };
      const common = {
        animation: false,
        textStyle: { fontFamily: "inherit" },
        grid: { left: 56, right: 16, top: 34, bottom: 64 },
        xAxis: { type: "value", min: 0, max: 1, ...axis, splitLine: { show: false } },
        yAxis: { type: "value", scale: true, ...axis },
        // Drawn on the canvas: a tooltip of HTML would need styles that the page's policy forbids.
        tooltip: { trigger: "axis", renderMode: "richText", confine: true, valueFormatter: short, backgroundColor: colour("--card"), borderColor: line, textStyle: { color: colour("--ink"), fontSize: 12 }, axisPointer: { lineStyle: { color: ink } } },
      };
      this.main.setOption({
        ...common,
        color: [colour("--accent"), colour("--accent"), colour("--warn")],
        legend: { top: 0, left: 0, icon: "roundRect", itemHeight: 3, itemWidth: 18, textStyle: { color: ink }, inactiveColor: line },
        dataZoom: [
          { type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, moveOnMouseMove: true, throttle: 40 },
          { type: "slider", filterMode: "none", height: 20, bottom: 10, showDataShadow: false, borderColor: line, fillerColor: colour("--accent-soft"), handleStyle: { color: colour("--accent"), borderColor: colour("--accent") }, moveHandleStyle: { color: colour("--accent") }, textStyle: { color: ink }, labelFormatter: (value) => String(Math.round(value)), throttle: 40 },
        ],
        series: [
          { name: this.texts.loss, type: "line", showSymbol: false, lineStyle: { width: 1, opacity: 0.3 }, itemStyle: { opacity: 0.3 }, data: [] },
          { name: this.texts.smoothed, type: "line", showSymbol: false, lineStyle: { width: 2 }, data: [], markLine: { silent: true, symbol: "none", lineStyle: { color: ink, type: "dashed" }, label: { color: ink, formatter: this.texts.resumed, position: "end", distance: 4 }, data: [] } },
          { name: this.texts.evaluation, type: "line", showSymbol: true, symbolSize: 6, lineStyle: { width: 2 }, data: [] },
        ],
      }, true);
      for (const { name, chart } of this.small) {
        chart.setOption({ ...common, grid: { left: 56, right: 12, top: 12, bottom: 24 }, color: [colour("--accent")], series: [{ name: this.texts[name], type: "line", showSymbol: false, lineStyle: { width: 1.5 }, data: [] }] }, true);
      }
    }

    zoomed() {
      const zoom = this.main.getOption().dataZoom[0];
      this.window = zoom.start <= 0.01 && zoom.end >= 99.99 ? null : [zoom.startValue, zoom.endValue];
      this.draw(false);
    }

    // factor: of the stretch that is seen; null: everything again.
    zoom(factor) {
      const end = this.points.end;
      const [from, to] = this.window ?? [0, end];
      const middle = (from + to) / 2;
      const half = factor === null ? end : Math.max(1, ((to - from) * factor) / 2);
      this.main.dispatchAction({ type: "dataZoom", startValue: Math.max(0, middle - half), endValue: Math.min(end, middle + half) });
    }

    named() {
      const names = this.smoothing ? [this.texts.smoothed, this.texts.loss] : [this.texts.smoothed];
      return this.points.evalSteps.length ? [...names, this.texts.evaluation] : names;
    }

    // Draws at most once a frame, however much comes in.
    later() {
      if (this.asked) return;
      this.asked = true;
      setTimeout(() => requestAnimationFrame(() => { this.asked = false; this.draw(); }), 60);
    }

    draw(axes = true) {
      const points = this.points;
      const end = points.end;
      const [from, to] = this.window ?? [0, end];
      const soft = smoothed(points.loss, this.smoothing);
      this.main.setOption({
        ...(axes ? { xAxis: { max: end }, legend: { data: this.named() } } : {}),
        series: [
          { data: this.smoothing ? visible(points.steps, points.loss, from, to) : [] },
          { data: visible(points.steps, soft, from, to), markLine: { data: points.resumed.map((step) => ({ xAxis: step })) } },
          { data: visible(points.evalSteps, points.evalLoss, from, to) },
        ],
      }, { lazyUpdate: true });
      for (const { name, chart } of this.small) {
        chart.setOption({ xAxis: { min: from, max: to }, series: [{ data: visible(points.steps, points[name], from, to) }] }, { lazyUpdate: true });
      }
    }
  }

  window.metierCurves = { Points, Charts, smoothed, visible, short };
})();
