// Times for people: relative where it matters how long ago, exact where one looks closer; in the reader's own zone.
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in its largest unit: `42s`, `7m`, `3h`, `12d`. */
export function shortly(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)}h`;
  return `${Math.floor(whole / DAY)}d`;
}

/** A length of time in its two largest units: `1h 20m`. */
export function atLength(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) return `${whole}s`;
  if (whole < HOUR) return joined(whole, MINUTE, "m", 1, "s");
  if (whole < DAY) return joined(whole, HOUR, "h", MINUTE, "m");
  return joined(whole, DAY, "d", HOUR, "h");
}

function joined(whole: number, great: number, greatUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((whole % great) / small);
  return `${Math.floor(whole / great)}${greatUnit}` + (rest ? ` ${rest}${smallUnit}` : "");
}

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** Date, time and zone. */
export function exactly(at: string): string {
  return EXACT.format(new Date(at));
}

/** The time of day of today, the date of other days. */
export function briefly(at: string, now: number): string {
  const when = new Date(at);
  return when.toDateString() === new Date(now).toDateString() ? CLOCK.format(when) : DATE.format(when);
}
