// Numbers as people read them, as record.FormatNS and this package's Go have them.

function count(n) { return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ","); }

function bytes(n) {
  if (n >= 2 ** 20 || n === 0) {
    const mib = n / 2 ** 20;
    return (Number.isInteger(mib) ? count(mib) : count(Math.floor(mib)) + "." + Math.floor((mib % 1) * 10)) + " MiB";
  }
  return count(Math.floor(n / 1024)) + " KiB";
}

// size is an amount in the largest unit in which it is whole: for addresses and axes.
function size(n) {
  for (const [unit, name] of [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"]]) {
    if (n >= unit && n % (unit / 4) === 0) return n / unit + " " + name;
  }
  return n === 0 ? "0" : bytes(n);
}

function time(ns) {
  for (const [unit, name] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
    if (ns >= unit) return (ns / unit).toFixed(3) + " " + name;
  }
  return Math.round(ns) + " ns";
}

function percent(part, whole) { return whole ? (100 * part / whole).toFixed(1) + " %" : ""; }

function address(n) { return "0x" + n.toString(16); }

// phase is the last that was reached at an instant.
function phase(ns) {
  let name = "";
  for (const p of run.phases) if (p.ns <= ns) name = p.name;
  return name;
}

// colour is one of the theme's.
function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }

// darkened calls back when the reader's colours change.
function darkened(back) { matchMedia("(prefers-color-scheme: dark)").addEventListener("change", back); }
