// Memory over time: uPlot draws the lines; phases and the slider's instant are drawn over them.
{
  const host = document.getElementById("chart");
  const s = run.samples;
  const lines = ["unaccepted", "accepted", "shared", "touched", "given"] // the last is drawn over the others
    .filter(key => document.querySelector(`[data-series=${key}]`));
  const boxes = Object.fromEntries([...document.querySelectorAll("[data-series]")].map(box => [box.dataset.series, box]));
  const values = Object.fromEntries([...document.querySelectorAll("[data-value]")].map(cell => [cell.dataset.value, cell]));
  const kinds = document.getElementById("exits");

  const looks = {
    given: { stroke: () => colour("text"), width: 2, dash: [2, 6] },
    accepted: { stroke: () => colour("accepted"), width: 2, fill: () => colour("accepted") + "38" },
    touched: { stroke: () => colour("text"), width: 1.5 },
    shared: { stroke: () => colour("shared"), width: 2, dash: [6, 4] },
    unaccepted: { stroke: () => colour("quiet"), width: 1, fill: () => colour("unaccepted") + "90" },
  };
  // Amounts step up when something happens and stay: no slope between two samples is true.
  const stepped = uPlot.paths.stepped({ align: 1 });

  const font = "12px system-ui, sans-serif";
  const binary = [];
  for (let n = 2 ** 20; n <= 2 ** 44; n *= 2) binary.push(n);
  const axis = { stroke: () => colour("quiet"), font, grid: { stroke: () => colour("rule"), width: 1 }, ticks: { show: false } };

  // Phases are bands above the lines. A name that has no room is left to the buttons above and the table below.
  const drawPhases = u => {
    const c = u.ctx, ratio = devicePixelRatio, { left, top, width, height } = u.bbox;
    c.save();
    c.font = 12 * ratio + "px system-ui, sans-serif";
    c.textAlign = "left";
    c.textBaseline = "middle";
    const starts = run.phases.filter((p, i) => p.name !== "end" && (i + 1 === run.phases.length || run.phases[i + 1].ns > p.ns));
    let free = left;
    starts.forEach((p, i) => {
      const x = left + p.ns / run.end * width;
      const next = i + 1 < starts.length ? left + starts[i + 1].ns / run.end * width : left + width;
      c.strokeStyle = colour("quiet");
      c.lineWidth = ratio;
      c.setLineDash([2 * ratio, 2 * ratio]);
      c.beginPath();
      c.moveTo(Math.round(x) + .5, top - 20 * ratio);
      c.lineTo(Math.round(x) + .5, top + height);
      c.stroke();
      const wide = c.measureText(p.name).width + 8 * ratio;
      let from = x;
      // The last phases of a boot are short: their names stand before them, if there is room.
      if (next - x < wide && i + 1 === starts.length && x - wide > free) from = x - wide;
      if (from < free || (from === x && next - x < wide)) return;
      c.fillStyle = colour("text");
      c.fillText(p.name, from + 4 * ratio, top - 12 * ratio);
      free = from + wide;
    });
    c.restore();
  };

  const options = width => ({
    width, height: width < 500 ? 240 : 320,
    padding: [26, 12, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [0, run.end] }, y: { range: (u, low, high) => [0, Math.max(high * 1.05, 2 ** 20)] } },
    axes: [
      { ...axis, values: (u, all) => all.map(ns => ns === 0 ? "0" : ns % 1e9 === 0 ? ns / 1e9 + " s" : run.end >= 1e9 ? (ns / 1e9).toFixed(1) + " s" : time(ns).replace(/\.?0+ /, " ")), space: 70 },
      { ...axis, incrs: binary, values: (u, all) => all.map(size), size: 78, space: 40 },
    ],
    series: [{}, ...lines.map(key => ({ label: key, show: boxes[key].checked, paths: stepped, points: { show: false }, ...looks[key] }))],
    hooks: { draw: [drawPhases], ready: [u => place(u)], setSize: [u => place(u)] },
  });

  const now = document.createElement("div");
  now.className = "now";
  const place = u => { now.style.left = clock.now / run.end * u.over.clientWidth - 1 + "px"; };
  const plot = new uPlot(options(host.clientWidth), [s.ns, ...lines.map(key => s[key])], host);
  plot.over.append(now);

  let width = host.clientWidth;
  new ResizeObserver(() => {
    if (host.clientWidth === width || !host.clientWidth) return;
    width = host.clientWidth;
    plot.setSize({ width, height: width < 500 ? 240 : 320 });
  }).observe(host);
  darkened(() => plot.redraw());
  lines.forEach((key, i) => boxes[key].addEventListener("change", () => plot.setSeries(i + 1, { show: boxes[key].checked })));

  // To point into the picture is to move the slider.
  const point = e => {
    const box = plot.over.getBoundingClientRect();
    clock.set((e.clientX - box.left) / box.width * run.end);
  };
  host.addEventListener("pointerdown", e => {
    if (e.button) return;
    host.setPointerCapture(e.pointerId);
    point(e);
  });
  host.addEventListener("pointermove", e => { if (host.hasPointerCapture(e.pointerId)) point(e); });

  clock.follow(ns => {
    place(plot);
    const i = before(s.ns, ns) - 1;
    for (const key of lines) values[key].textContent = i < 0 ? "" : bytes(s[key][i]);
    if (i < 0) return;
    const exits = s.kinds.map((kind, k) => [kind, s.exits[k][i]]).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
    if (values.exits) values.exits.textContent = count(exits.reduce((sum, [kind, n]) => sum + (kind.startsWith("exit ") ? n : 0), 0));
    kinds.replaceChildren(...exits.map(([kind, n]) => {
      const row = document.createElement("tr"), name = document.createElement("td"), times = document.createElement("td");
      name.append(kind);
      times.append(count(n));
      times.className = "number";
      row.append(name, times);
      return row;
    }));
  });
}
