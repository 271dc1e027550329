// The instant that the page shows: the slider sets it, and pictures, tables and console follow.
const clock = {
  now: run.start,
  followers: [],
  set(ns) {
    this.now = Math.min(Math.max(ns, 0), run.end);
    for (const follow of this.followers) follow(this.now);
  },
  follow(back) { this.followers.push(back); },
};

{
  const slider = document.getElementById("slider"), at = document.getElementById("at"), play = document.getElementById("play");
  const steps = Number(slider.max);
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  clock.follow(ns => {
    slider.value = Math.round(ns / run.end * steps);
    const text = time(ns), where = phase(ns);
    at.replaceChildren(text);
    if (where) {
      const small = document.createElement("small");
      small.append("since “" + where + "”");
      at.append(small);
    }
    slider.setAttribute("aria-valuetext", text + (where ? ", since " + where : ""));
  });

  // Playing takes eight seconds for the whole run; for readers who want no motion, in twenty steps.
  const lasts = 8000;
  let playing = 0, from = 0, began = 0;
  const stop = () => {
    cancelAnimationFrame(playing);
    clearTimeout(playing);
    playing = 0;
    play.textContent = "▶ Play";
    play.setAttribute("aria-pressed", "false");
  };
  const later = () => { playing = still.matches ? setTimeout(() => step(performance.now()), lasts / 20) : requestAnimationFrame(step); };
  const step = moment => {
    const ns = from + Math.max(moment - began, 0) / lasts * run.end;
    clock.set(ns);
    if (ns >= run.end) stop(); else later();
  };
  play.addEventListener("click", () => {
    if (playing) return stop();
    from = clock.now >= run.end ? 0 : clock.now;
    began = performance.now();
    play.textContent = "❚❚ Pause";
    play.setAttribute("aria-pressed", "true");
    later();
  });

  slider.addEventListener("input", () => { stop(); clock.set(slider.value / steps * run.end); });
  for (const button of document.querySelectorAll("[data-ns]")) {
    button.addEventListener("click", () => { stop(); clock.set(Number(button.dataset.ns)); });
  }
}
