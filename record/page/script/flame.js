// Who asked for memory, as a flame graph that hangs from its root: a function is as wide as what was accepted for it and for
// what it called.
{
  const host = document.getElementById("flame");
  if (host) {
    const said = document.getElementById("frame"), buttons = [...document.querySelectorAll("[data-measure]")];
    const { functions, stacks, firmware } = run.flame, machinery = new Set(run.flame.machinery);
    const high = 22;

    const frame = (name, kind, parent) => ({ name, kind, parent, bytes: 0, operations: 0, ns: 0, children: [], known: new Map() });
    const add = (to, from) => { to.bytes += from.bytes; to.operations += from.operations; to.ns += from.ns; };
    const root = frame("all that was accepted", "whole", null);
    if (firmware.operations) {
      const f = frame("firmware", "firmware", root);
      add(f, firmware);
      root.children.push(f);
      add(root, firmware);
    }
    for (const s of stacks) {
      let at = root;
      add(root, s);
      for (let i = s.stack.length - 1; i >= 0; i--) {
        let next = at.known.get(s.stack[i]);
        if (!next) {
          next = frame(functions[s.stack[i]], machinery.has(s.stack[i]) ? "on" : s.stub ? "stub" : "asker", at);
          at.known.set(s.stack[i], next);
          at.children.push(next);
        }
        add(next, s);
        at = next;
      }
    }

    let measure = "bytes", shown = root, focused = root;
    const text = f => f.name + ": " + bytes(f.bytes) + " (" + percent(f[measure], root[measure]) + "), " +
      count(f.operations) + (f.operations === 1 ? " operation, " : " operations, ") + time(f.ns);

    function draw() {
      const width = host.clientWidth, elements = [];
      let deepest = 0;
      const put = (f, level, from, wide, beside, place) => {
        if (wide < 1.5) return;
        const element = document.createElement("div");
        element.className = f.kind + (wide > 30 ? " named" : "");
        element.textContent = wide > 30 ? f.name : "";
        element.title = text(f);
        element.setAttribute("role", "treeitem");
        element.setAttribute("aria-label", text(f));
        element.setAttribute("aria-level", level + 1);
        element.setAttribute("aria-setsize", beside);
        element.setAttribute("aria-posinset", place);
        element.tabIndex = f === focused ? 0 : -1;
        element.style.left = from + "px";
        element.style.width = wide + "px";
        element.style.top = level * high + "px";
        element.frame = f;
        f.element = element;
        elements.push(element);
        deepest = Math.max(deepest, level);
      };
      const below = (f, level, from, wide) => {
        const children = [...f.children].sort((a, b) => b[measure] - a[measure] || (a.name < b.name ? -1 : 1));
        let at = from;
        children.forEach((child, i) => {
          const part = f[measure] ? wide * child[measure] / f[measure] : 0;
          child.element = null;
          put(child, level, at, part, children.length, i + 1);
          below(child, level + 1, at, part);
          at += part;
        });
      };
      // What leads to the frame that is shown stands above it, over the whole width.
      const path = [];
      for (let f = shown; f; f = f.parent) path.unshift(f);
      path.forEach((f, level) => put(f, level, 0, width, 1, 1));
      below(shown, path.length, 0, width);
      host.replaceChildren(...elements);
      host.style.height = (deepest + 1) * high + "px";
    }

    function focus(f) {
      if (!f || !f.element) return;
      if (focused.element) focused.element.tabIndex = -1;
      focused = f;
      f.element.tabIndex = 0;
      f.element.focus();
      said.textContent = text(f);
    }
    function enlarge(f) {
      const had = host.contains(document.activeElement);
      shown = focused = f;
      draw();
      if (had) f.element.focus();
      said.textContent = text(f);
    }
    const visible = f => f.children.filter(c => c.element && c.element.isConnected).sort((a, b) => parseFloat(a.element.style.left) - parseFloat(b.element.style.left));

    host.addEventListener("keydown", e => {
      const beside = focused.parent && focused !== shown ? visible(focused.parent) : [], at = beside.indexOf(focused);
      const act = {
        ArrowUp: () => focus(focused.parent), ArrowDown: () => focus(visible(focused)[0]),
        ArrowLeft: () => focus(beside[at - 1]), ArrowRight: () => focus(beside[at + 1]),
        Home: () => focus(root), Enter: () => enlarge(focused), " ": () => enlarge(focused), Escape: () => enlarge(root),
      }[e.key];
      if (!act) return;
      e.preventDefault();
      act();
    });
    host.addEventListener("click", e => { if (e.target.frame) enlarge(e.target.frame === shown ? root : e.target.frame); });
    host.addEventListener("pointerover", e => { if (e.target.frame) said.textContent = text(e.target.frame); });
    for (const button of buttons) {
      button.addEventListener("click", () => {
        measure = button.dataset.measure;
        for (const b of buttons) b.setAttribute("aria-pressed", String(b === button));
        draw();
      });
    }

    draw();
    let width = host.clientWidth;
    new ResizeObserver(() => {
      if (host.clientWidth === width) return;
      width = host.clientWidth;
      draw();
    }).observe(host);
  }
}

