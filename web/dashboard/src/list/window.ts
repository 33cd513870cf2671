// Which rows of a long list exist.
const STEP = 16;

/** First and one past the last row to make, in steps so that scrolling a little changes nothing. Measures in pixels. */
export function windowOf(scrollTop: number, height: number, rowHeight: number, count: number) {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight / STEP - 1) * STEP);
  const last = Math.ceil((scrollTop + height) / rowHeight / STEP + 1) * STEP;
  return { first: Math.min(first, count), last: Math.min(last, count) };
}
