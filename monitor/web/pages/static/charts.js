// The charts of the server once more, by uPlot: a value wherever one points or steps with the arrow keys, always fresh.
"use strict";
(() => {
  const page = document.querySelector("[data-charts]");
  if (!page || typeof uPlot === "undefined") return;
  const figures = [...page.querySelectorAll("figure[data-metric]")].filter((one) => one.querySelector("[data-plot]"));
  const plots = new Map();
  const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [], [8, 4], [2, 3], [10, 3, 2, 3]];
  const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
  const across = (at) => (new Date(at * 1000).getHours() || new Date(at * 1000).getMinutes() ? hour : day).format(at * 1000);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const elapsed = (value) => {
    const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
    const said = [];
    let left = Math.floor(value);
    for (const [size, unit] of parts) {
      if (left >= size) said.push(`${Math.floor(left / size)}${unit}`);
      left %= size;
    }
    return said.slice(0, 2).join(" ") || "0s";
  };
  const seconds = (value) => {
    if (value > 0 && value < 1) return `${Math.round(value * 1000)} ms`;
    return value < 10 ? `${Number(value.toPrecision(2))} s` : elapsed(value);
  };
  const number = (value) => (value >= 100 ? Math.round(value).toLocaleString() : String(Number(value.toPrecision(3))));
  const words = (unit) => (value) => (value == null ? "–" : unit === "seconds" ? seconds(value) : number(value));

  const tell = (figure, series, at) => {
    const say = words(series.unit);
    for (const output of figure.querySelectorAll("output[data-line]")) {
      const values = series.lines.find((one) => one.name === output.dataset.line)?.values ?? [];
      output.textContent = say(at == null ? values.findLast((one) => one != null) : values[at]);
    }
    const from = Date.parse(series.start) + (at ?? 0) * series.step * 1000;
    figure.querySelector("[data-when]").textContent = at == null ? "" : clock.format(from);
  };

  const splits = (unit) => (_plot, _axis, _low, high) => {
    if (unit !== "seconds") return null;
    const sizes = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
    const size = sizes.find((one) => high / one <= 4) ?? Math.ceil(high / 4 / 86400) * 86400;
    return Array.from({ length: Math.floor(high / size) + 1 }, (_, index) => index * size);
  };

  const powers = [0.01, 0.1, 1, 10, 60, 600, 3600, 36000, 86400];
  const upTo = (high) => powers.filter((one, index) => index < 3 || powers[index - 1] < high);
  // A value between two gaps is no line: it is drawn as a point.
  const lonely = (plot, line) => {
    const values = plot.data[line];
    return values.flatMap((one, at) => (one != null && values[at - 1] == null && values[at + 1] == null ? [at] : []));
  };

  const options = (figure, series, names, width) => {
    const quiet = colour("--quiet");
    const grid = { stroke: colour("--line"), width: 1 };
    const log = series.metric === "latency";
    const say = words(series.unit);
    const stepped = series.unit === "per minute" ? uPlot.paths.stepped({ align: 1 }) : undefined;
    const axis = { stroke: quiet, grid, ticks: grid, font: "12px system-ui, sans-serif" };
    const up = { ...axis, size: 64, values: (_plot, at) => at.map((one) => (one == null ? "" : say(one))) };
    if (log) up.splits = (_plot, _axis, _low, high) => upTo(high);
    if (log) up.filter = (_plot, at) => at;
    else if (series.unit === "seconds") up.splits = splits(series.unit);
    return {
      width,
      height: 220,
      legend: { show: false },
      cursor: { sync: { key: "charts" }, drag: { x: false, y: false }, y: false },
      scales: { x: { time: true }, y: log ? { distr: 3, range: (_plot, _low, high) => [0.01, upTo(high || 1).at(-1)] } : { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, values: (_plot, at) => at.map(across) }, up],
      series: [{}, ...names.map((name, index) => ({ label: name, stroke: colour(`--l${index + 1}`), width: 2, dash: dashes[index], paths: stepped, points: { show: true, filter: lonely, size: 4 } }))],
      hooks: { setCursor: [(plot) => tell(figure, series, plot.cursor.idx)] },
    };
  };

  const draw = (figure, series) => {
    const names = [...figure.querySelectorAll("output[data-line]")].map((one) => one.dataset.line);
    const place = figure.querySelector("[data-plot]");
    const lines = names.map((name) => series.lines.find((one) => one.name === name)?.values ?? []);
    const count = series.lines[0]?.values.length ?? 0;
    const begin = Date.parse(series.start) / 1000;
    const data = [Array.from({ length: count }, (_, index) => begin + index * series.step), ...lines];
    plots.get(figure)?.plot.destroy();
    place.replaceChildren();
    const made = new uPlot(options(figure, series, names, Math.max(200, place.clientWidth)), data, place);
    plots.set(figure, { plot: made, series });
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", `${figure.querySelector("h2").textContent}: arrow keys read values; the table has them all`);
    tell(figure, series, null);
  };

  const step = (event) => {
    const held = plots.get(event.currentTarget.closest("figure"));
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!held || (!move && !["Home", "End", "Escape"].includes(event.key))) return;
    event.preventDefault();
    const { plot } = held;
    const last = plot.data[0].length - 1;
    if (event.key === "Escape") {
      plot.setCursor({ left: -10, top: -10 });
      return;
    }
    const from = plot.cursor.idx ?? (move > 0 ? -1 : last + 1);
    const at = event.key === "Home" ? 0 : event.key === "End" ? last : Math.min(last, Math.max(0, from + move));
    plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: 10 });
  };

  // What the server says of the figures, and their table, as they are now.
  const reword = async () => {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const figure of figures) {
      for (const part of [".summary", "tbody"]) {
        const found = fresh.querySelector(`[data-metric="${figure.dataset.metric}"] ${part}`);
        if (found && !figure.contains(document.activeElement)) figure.querySelector(part).replaceChildren(...found.childNodes);
      }
    }
  };

  // What had nothing to draw until now has something: the server draws it.
  const arrived = (series) => {
    const figure = page.querySelector(`figure[data-metric="${series.metric}"]`);
    return figure && !figures.includes(figure) && series.lines.some((line) => line.values.some((one) => one));
  };

  const load = async (again) => {
    try {
      const answer = await fetch(`/api/v1/series?since=${encodeURIComponent(page.dataset.charts)}`);
      if (!answer.ok) return; // what the server drew stays
      const { items } = await answer.json();
      if (again && items.some(arrived)) {
        location.reload();
        return;
      }
      for (const series of items) {
        const figure = figures.find((one) => one.dataset.metric === series.metric);
        if (figure && !figure.contains(document.activeElement) && !figure.matches(":hover")) draw(figure, series);
        else if (figure && !plots.has(figure)) draw(figure, series);
      }
      if ("drawn" in page.dataset) await reword();
      page.dataset.drawn = "";
    } catch {
      // The server cannot be reached: the next time says more.
    }
  };

  const redraw = () => plots.forEach(({ series }, figure) => draw(figure, series));
  for (const figure of figures) figure.querySelector("[data-plot]").addEventListener("keydown", step);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => {
    for (const [figure, { plot }] of plots) {
      const width = Math.max(200, figure.querySelector("[data-plot]").clientWidth);
      if (width !== plot.width) plot.setSize({ width, height: plot.height });
    }
  }).observe(page);
  setInterval(() => document.visibilityState === "visible" && load(true), 30000);
  load(false);
})();
