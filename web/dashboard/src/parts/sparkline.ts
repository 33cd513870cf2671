// Few times as bars: how often something happened in each stretch of a day.
const DAY = 24 * 60 * 60 * 1_000;

/** How many of the times lie in each of `bars` equal stretches that end at `now`; a day in all. In milliseconds. */
export function barsOf(times: readonly number[], now: number, bars: number, span = DAY): number[] {
  const counts = new Array<number>(bars).fill(0);
  for (const time of times) {
    const place = Math.floor(((time - (now - span)) / span) * bars);
    const bar = Math.min(bars - 1, place);
    if (bar >= 0) counts[bar] = (counts[bar] ?? 0) + 1;
  }
  return counts;
}
