// The map of the address space. A square is a unit of 2 MiB, or several where there are too many of them.
const canvas = document.getElementById("map");
if (canvas) {
  const picked = document.getElementById("picked");
  const scale = document.getElementById("scale");
  const cells = [...document.querySelectorAll("[data-state]")];
  const looks = ["unaccepted", "firmware", "stub", "kernel", "shared"];
  const words = ["not accepted", "accepted by firmware", "accepted by " + run.stub, "accepted by the kernel", "shared with the host"];
  const areas = run.areas.map(([start, end]) => ({ first: Math.floor(start / run.unit), end: Math.ceil(end / run.unit) }));
  const total = areas.reduce((n, a) => n + a.end - a.first, 0);
  const top = areas.reduce((n, a) => Math.max(n, a.end), 0);

  // The state of each unit at an instant: changes are applied up to it, from the start again when time goes back.
  const state = new Uint8Array(top), since = new Float64Array(top), asked = new Uint16Array(top);
  let applied = 0, until = -1;
  function seek(ns) {
    if (ns < until) {
      state.fill(0); since.fill(0); asked.fill(0);
      applied = 0;
    }
    until = ns;
    for (; applied < changes.ns.length && changes.ns[applied] <= ns; applied++) {
      const from = changes.first[applied], end = Math.min(from + changes.units[applied], top);
      state.fill(changes.to[applied], from, end);
      since.fill(changes.ns[applied], from, end);
      asked.fill(changes.asked[applied], from, end);
    }
  }

  // Where squares lie: so many in a row, of so many pixels; each of so many units.
  let grid = null;
  const gutter = 62, gap = 14;
  function layout() {
    const room = canvas.parentElement.clientWidth - gutter - 2, most = room < 500 ? 540 : 440, ratio = devicePixelRatio;
    for (let per = 1; ; per *= 2) {
      for (let columns = 16; columns * 2 <= room; columns *= 2) {
        const side = Math.min(Math.floor(room / columns * ratio) / ratio, 20);
        const rows = areas.reduce((n, a) => n + Math.ceil((a.end - a.first) / per / columns), 0);
        if (rows * side + gap * (areas.length - 1) <= most) return { per, columns, side, rows, ratio };
      }
      if (per > total) return { per, columns: 16, side: 2, rows: 1, ratio };
    }
  }

  // What a square shows where it stands for several units: the state of most of them that are accepted or shared, so that
  // a little of it does not vanish in much that is not accepted.
  function of(from, end) {
    if (end - from === 1) return state[from];
    const n = [0, 0, 0, 0, 0];
    for (let u = from; u < end; u++) n[state[u]]++;
    let best = 0;
    for (let i = 1; i < n.length; i++) if (n[i] > 0 && (best === 0 || n[i] > n[best])) best = i;
    return best;
  }

  let chosen = -1; // square, counted over all areas
  // square returns what a square stands for, and where it lies.
  function square(i) {
    let y = 0;
    for (const a of areas) {
      const squares = Math.ceil((a.end - a.first) / grid.per);
      if (i < squares) {
        const from = a.first + i * grid.per;
        return { from, end: Math.min(from + grid.per, a.end), x: gutter + i % grid.columns * grid.side, y: y + Math.floor(i / grid.columns) * grid.side };
      }
      i -= squares;
      y += Math.ceil(squares / grid.columns) * grid.side + gap;
    }
    return null;
  }

  function draw() {
    const { per, columns, side, rows, ratio } = grid;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "middle";
    const colours = looks.map(colour), text = colour("quiet");
    const line = side * ratio >= 5 ? 1 / ratio : 0; // between squares that are large enough
    // Addresses stand at the rows that begin at multiples of a power of two.
    let every = columns * per;
    while (every / (columns * per) * side < 26) every *= 2;
    let y = 0;
    areas.forEach(a => {
      const tall = Math.ceil((a.end - a.first) / per / columns);
      for (let row = 0; row < tall; row++) {
        const from = a.first + row * columns * per;
        if (row === 0 || from % every === 0) {
          context.fillStyle = text;
          context.fillText(size(from * run.unit), gutter - 8, y + Math.max(side / 2, 6));
        }
        for (let column = 0; column < columns; column++) {
          const unit = from + column * per;
          if (unit >= a.end) break;
          context.fillStyle = colours[of(unit, Math.min(unit + per, a.end))];
          context.fillRect(gutter + column * side, y, side - line, side - line);
        }
        y += side;
      }
      y += gap;
    });
    const s = chosen < 0 ? null : square(chosen);
    if (s) {
      context.strokeStyle = colour("text");
      context.lineWidth = 2;
      context.strokeRect(s.x - 1, s.y - 1, side + 2 - line, side + 2 - line);
    }
  }

  // tell says in words what the chosen square is now.
  function tell() {
    const s = chosen < 0 ? null : square(chosen);
    if (!s) return;
    const range = address(s.from * run.unit) + " to " + address(s.end * run.unit) + " (" + bytes((s.end - s.from) * run.unit) + ")";
    const parts = [];
    for (let u = s.from; u < s.end; u++) {
      const same = parts.find(p => p.state === state[u] && p.asked === asked[u]);
      if (same) same.units++; else parts.push({ state: state[u], asked: asked[u], since: since[u], units: 1 });
    }
    parts.sort((a, b) => b.units - a.units);
    const said = parts.slice(0, 3).map(p => (parts.length > 1 ? bytes(p.units * run.unit) + " " : "") + words[p.state] +
      (p.since > 0 || p.state ? " since " + time(p.since) : " since the start") +
      (p.asked ? ", asked for by " + run.asked[p.asked - 1] : ""));
    picked.textContent = range + ": " + said.join("; ") + (parts.length > 3 ? "; and " + (parts.length - 3) + " more" : "") + ".";
  }

  function show(ns) {
    seek(ns);
    const n = [0, 0, 0, 0, 0];
    for (const a of areas) for (let u = a.first; u < a.end; u++) n[state[u]]++;
    for (const cell of cells) cell.textContent = bytes(n[cell.dataset.state] * run.unit);
    draw();
    tell();
  }

  function resize() {
    grid = layout();
    const width = gutter + grid.columns * grid.side + 2, height = grid.rows * grid.side + gap * (areas.length - 1) + 2;
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * grid.ratio);
    canvas.height = Math.round(height * grid.ratio);
    scale.textContent = "A square is " + size(grid.per * run.unit) + ", a row " + size(grid.per * grid.columns * run.unit) + "." +
      (grid.per > 1 ? " It has the colour of most that is accepted or shared in it." : " It has the colour of what most of it is.");
    if (square(chosen) === null) chosen = -1;
    draw();
  }

  function choose(i) {
    if (i === chosen || !square(i)) return;
    chosen = i;
    draw();
    tell();
  }
  canvas.addEventListener("keydown", e => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns }[e.key];
    if (!by) return;
    e.preventDefault();
    choose(chosen < 0 ? 0 : Math.max(chosen + by, 0));
  });
  const point = e => {
    const box = canvas.getBoundingClientRect(), x = e.clientX - box.left - gutter;
    const column = Math.floor(x / grid.side);
    if (column < 0 || column >= grid.columns) return;
    let y = e.clientY - box.top, i = 0;
    for (const a of areas) {
      const squares = Math.ceil((a.end - a.first) / grid.per), tall = Math.ceil(squares / grid.columns) * grid.side;
      if (y < tall) {
        const at = Math.floor(y / grid.side) * grid.columns + column;
        if (y >= 0 && at < squares) choose(i + at);
        return;
      }
      y -= tall + gap;
      i += squares;
    }
  };
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("pointerdown", point);

  resize();
  let width = canvas.parentElement.clientWidth;
  new ResizeObserver(() => {
    if (canvas.parentElement.clientWidth === width) return;
    width = canvas.parentElement.clientWidth;
    resize();
  }).observe(canvas.parentElement);
  darkened(draw);
  clock.follow(show);
}
