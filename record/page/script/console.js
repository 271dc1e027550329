// The console's line of the slider's instant is marked, and kept in sight.
{
  const box = document.getElementById("lines");
  if (box) {
    const lines = [...box.querySelectorAll("li[data-ns]")], instants = lines.map(line => Number(line.dataset.ns));
    let current = null;
    clock.follow(ns => {
      const line = lines[before(instants, ns) - 1] || null;
      if (line === current) return;
      if (current) current.removeAttribute("aria-current");
      current = line;
      if (!line) {
        box.scrollTop = 0;
        return;
      }
      line.setAttribute("aria-current", "true");
      box.scrollTop += line.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom + 8;
    });
  }
}
