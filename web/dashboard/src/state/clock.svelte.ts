// One clock for every relative time on the page: it ticks once a second while somebody looks.
class Clock {
  now = $state(Date.now());

  constructor() {
    if (typeof document === "undefined") return;
    setInterval(() => {
      if (!document.hidden) this.now = Date.now();
    }, 1_000);
    document.addEventListener("visibilitychange", () => (this.now = Date.now()));
  }
}

export const clock = new Clock();
