// How long to wait before the next try to connect.
const FIRST_SECONDS = 0.5;
const MOST_SECONDS = 20;

/** Seconds before try number `tries` (from 0): doubled each time, and spread so that pages do not come at once. */
export function backoffSeconds(tries: number, random: () => number = Math.random): number {
  const seconds = Math.min(MOST_SECONDS, FIRST_SECONDS * 2 ** tries);
  return seconds * (0.5 + random() / 2);
}
