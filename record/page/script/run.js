// What the page knows of the run, as Go wrote it (data.go, changes.go).
const run = JSON.parse(document.getElementById("run").textContent);

// changes of the address space, a typed array for each field.
const changes = (() => {
  const bytes = Uint8Array.from(atob(run.changes), c => c.charCodeAt(0));
  const ns = [], first = [], units = [], to = [], asked = [];
  let at = 0;
  // No shifts: they would cut numbers off at 32 bits.
  const number = () => {
    let n = 0, worth = 1;
    for (;;) {
      const b = bytes[at++];
      n += (b & 0x7f) * worth;
      worth *= 128;
      if (b < 0x80) return n;
    }
  };
  let time = 0, unit = 0;
  while (at < bytes.length) {
    time += number();
    const distance = number();
    unit += distance % 2 ? -(distance + 1) / 2 : distance / 2;
    const count = number(), what = number();
    ns.push(time); first.push(unit); units.push(count); to.push(what % 8); asked.push(Math.floor(what / 8));
    unit += count;
  }
  return {
    ns: Float64Array.from(ns), first: Uint32Array.from(first), units: Uint32Array.from(units),
    to: Uint8Array.from(to), asked: Uint16Array.from(asked),
  };
})();

// before returns how many of an ascending list are not after a value.
function before(list, value) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle + 1; else high = middle;
  }
  return low;
}
