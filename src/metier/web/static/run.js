// The page of a run: its state, progress, curves and log as the job tells them, over lost connections and restarts.
"use strict";
(() => {
  const LINES = 2000;
  const FIRST_POINTS = 4000;
  const HIDDEN_SECONDS = 20;

  function clock(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    const pad = (value) => String(value).padStart(2, "0");
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
  }

  // On a narrow screen the strip of steps is longer than what is seen of it.
  function showStep() {
    const now = document.querySelector(".strip-now, .strip-broken");
    const strip = now?.parentElement;
    if (strip) strip.scrollLeft = now.offsetLeft - strip.offsetLeft - (strip.clientWidth - now.clientWidth) / 2;
  }

  // The last lines of the log. Everything is put in as text, so that nothing in it can do anything.
  class Log {
    constructor(box, button) {
      this.box = box;
      this.button = button;
      this.blocks = [];
      this.count = 0;
      this.following = true;
      button.addEventListener("click", () => this.follow(!this.following));
      box.addEventListener("scroll", () => {
        const below = box.scrollHeight - box.scrollTop - box.clientHeight;
        if (this.following !== below < 24) this.follow(below < 24, false);
      });
    }

    follow(yes, scroll = true) {
      this.following = yes;
      this.button.setAttribute("aria-pressed", String(yes));
      if (yes && scroll) this.box.scrollTop = this.box.scrollHeight;
    }

    add(lines) {
      if (!lines.length) return;
      const kept = lines.slice(-LINES);
      const block = document.createTextNode(kept.join("\n") + "\n");
      this.box.append(block);
      this.blocks.push([block, kept.length]);
      this.count += kept.length;
      while (this.blocks.length > 1 && this.count - this.blocks[0][1] >= LINES) {
        const [old, size] = this.blocks.shift();
        old.remove();
        this.count -= size;
      }
      if (this.following) this.box.scrollTop = this.box.scrollHeight;
    }
  }

  class RunPage {
    constructor(root) {
      this.root = root;
      this.job = root.dataset.job;
      this.texts = JSON.parse(root.dataset.texts);
      this.state = root.dataset.state;
      this.position = root.dataset.position;
      this.tries = 0;
      this.log = new Log(document.getElementById("log"), document.getElementById("follow"));
      this.until = root.dataset.left ? Date.now() + 1000 * Number(root.dataset.left) : null;
      setInterval(() => this.countDown(), 1000);
      document.addEventListener("visibilitychange", () => this.seen());
    }

    async begin() {
      if (this.root.dataset.training === "yes") this.setUpCharts();
      try {
        await this.load();
      } catch {
        this.lost();
        setTimeout(() => this.begin(), 1500);
        return;
      }
      this.listen();
    }

    setUpCharts() {
      if (this.charts) return;
      const { Charts } = metierCurves;
      this.charts = new Charts(document.getElementById("chart-loss"), [...document.querySelectorAll("[data-measure]")], this.texts);
      const slider = document.getElementById("smoothing");
      slider.value = localStorage.getItem("metier-smoothing") ?? slider.value;
      const smooth = () => {
        this.charts.smoothing = Number(slider.value);
        document.getElementById("smoothing-value").textContent = Number(slider.value).toFixed(2);
        localStorage.setItem("metier-smoothing", slider.value);
        this.charts.later();
      };
      slider.addEventListener("input", smooth);
      smooth();
      for (const [id, factor] of [["zoom-in", 0.5], ["zoom-out", 2], ["zoom-all", null]]) {
        document.getElementById(id).addEventListener("click", () => this.charts.zoom(factor));
      }
    }

    // What was told so far: the stream goes on from exactly there.
    async load() {
      const [log, curves] = await Promise.all([
        metier.call("GET", `/api/v1/jobs/${this.job}/log?lines=${LINES}`),
        this.charts ? metier.call("GET", `/api/v1/jobs/${this.job}/curves?points=${FIRST_POINTS}`) : null,
      ]);
      this.log.add(log.lines);
      const events = curves ? curves.position : this.position.split(".")[0].slice(1);
      this.position = `e${events}.l${log.position}`;
      if (!curves) return;
      this.charts.points = metierCurves.Points.of(curves);
      this.showCurves();
      if (curves.points > curves.steps.length) this.loadAll();
    }

    async loadAll() {
      const before = this.charts.points.resumed.length;
      const view = await metier.call("GET", `/api/v1/jobs/${this.job}/curves`);
      const now = this.charts.points;
      if (now.resumed.length !== before) return this.loadAll(); // it went back meanwhile
      this.charts.points = metierCurves.Points.of(view).under(now);
      this.root.dataset.points = view.points;
      this.charts.later();
    }

    showCurves() {
      const some = this.charts.points.steps.length > 0;
      document.getElementById("no-points").classList.toggle("hidden", some);
      for (const id of ["charts", "curve-tools"]) document.getElementById(id).classList.toggle("hidden", !some);
      this.charts.later();
    }

    listen() {
      clearTimeout(this.retry);
      this.source?.close();
      const source = new EventSource(`/api/v1/jobs/${this.job}/events?from=${this.position}`);
      this.source = source;
      const on = (name, act) => source.addEventListener(name, (message) => {
        if (source !== this.source) return;
        if (message.lastEventId) this.position = message.lastEventId;
        act(message.data ? JSON.parse(message.data) : {});
      });
      source.onopen = () => this.found();
      source.onerror = () => { if (source === this.source) this.again(); };
      on("state", (value) => this.onState(value));
      on("event", (value) => this.onEvent(value));
      on("log", (value) => this.log.add(value.lines));
      on("end", (value) => { this.stop(); this.onState(value); });
      on("gone", () => location.reload());
      on("draining", () => this.again());
    }

    stop() {
      this.source?.close();
      this.source = null;
      clearTimeout(this.retry);
    }

    // Our own retries rather than the browser's, which gives up for good at the first answer that is no stream.
    again() {
      this.stop();
      this.lost();
      this.tries += 1;
      if (this.tries % 3 === 0) metier.call("GET", "/api/v1/me").catch(() => {}); // leads to the sign-in if that has ended
      this.retry = setTimeout(() => this.listen(), Math.min(5000, 500 * this.tries));
    }

    lost() {
      this.lostTimer ??= setTimeout(() => document.getElementById("lost").classList.remove("hidden"), 1200);
    }

    found() {
      this.tries = 0;
      clearTimeout(this.lostTimer);
      this.lostTimer = null;
      document.getElementById("lost").classList.add("hidden");
    }

    // A tab that nobody sees holds no connection: a browser has few for each server.
    seen() {
      clearTimeout(this.hiding);
      if (document.hidden) {
        this.hiding = setTimeout(() => { this.stop(); this.asleep = true; }, 1000 * HIDDEN_SECONDS);
      } else if (this.asleep) {
        this.asleep = false;
        if (!this.over) this.listen();
      }
    }

    onState(value) {
      this.over = ["done", "failed", "cancelled"].includes(value.state);
      const key = [value.state, value.attempts, value.reason].join();
      if (key === this.shown) return;
      const first = this.shown === undefined && value.state === this.root.dataset.state;
      this.shown = key;
      this.state = value.state;
      if (value.state !== "running") this.until = null;
      document.getElementById("doing").classList.toggle("hidden", ["done", "queued"].includes(value.state));
      if (!first) this.refreshHead();
    }

    onEvent(event) {
      if (event.event === "step") this.onStep(event.name);
      if (this.charts?.points.add(event)) this.showCurves();
      if (event.event === "progress") this.onProgress(event);
    }

    onStep(name) {
      document.getElementById("doing-step").textContent = this.texts.steps[name] ?? name;
      for (const place of this.root.querySelectorAll("[data-figure]")) place.classList.add("hidden");
      this.root.querySelector("[data-figure=step] dt").textContent = name === "train" ? this.texts.step : this.texts.far;
      this.figure("step", "–");
      document.getElementById("bar").value = 0;
      this.until = null;
      this.countDown();
      this.refreshHead();
    }

    onProgress(event) {
      const { short } = metierCurves;
      const share = event.total ? Math.min(1, event.step / event.total) : 0;
      document.getElementById("bar").value = share;
      document.title = `${Math.floor(100 * share)} % · ${this.root.dataset.title} · Métier`;
      const fetching = event.unit === "bytes"; // a model, before or within a step
      const name = fetching ? this.texts.fetching : this.texts.steps[event.of] ?? event.of;
      if (name) document.getElementById("doing-step").textContent = name;
      const amount = (value) => (fetching ? `${short(value)}B` : value);
      this.figure("step", `${amount(event.step)} / ${event.total ? amount(event.total) : "?"}`);
      if (typeof event.loss === "number") this.figure("loss", event.loss.toFixed(4));
      if (typeof event.learning_rate === "number") this.figure("learning_rate", event.learning_rate.toExponential(2));
      if (typeof event.tokens_per_second === "number") this.figure("tokens_per_second", short(event.tokens_per_second));
      if (typeof event.memory_bytes === "number") this.figure("memory_bytes", `${short(event.memory_bytes)}B`);
      this.until = typeof event.eta_seconds === "number" ? Date.now() + 1000 * event.eta_seconds : null;
      this.countDown();
    }

    figure(name, text) {
      const place = this.root.querySelector(`[data-figure="${name}"] dd`);
      place.textContent = text;
      place.parentElement.classList.remove("hidden");
    }

    countDown() {
      const running = this.state === "running" && this.until !== null;
      const left = running ? this.texts.left.replace("{time}", clock((this.until - Date.now()) / 1000)) : "";
      document.getElementById("left").textContent = left;
    }

    // The server writes what depends on the state: what may be pressed, what went wrong, what to do next.
    async refreshHead() {
      const turn = (this.turn = (this.turn ?? 0) + 1);
      const response = await fetch(`/runs/${this.job}/head`, { headers: { Accept: "text/html", "HX-Request": "true" } }).catch(() => null);
      if (!response?.ok || response.status === 204 || turn !== this.turn) return;
      const head = document.getElementById("run-head");
      head.innerHTML = await response.text();
      metier.writeTimes(head);
      showStep();
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const page = new RunPage(document.getElementById("run"));
    window.metierRun = page;
    showStep();
    requestAnimationFrame(() => setTimeout(() => page.begin())); // what the server wrote is seen first
  });
})();
