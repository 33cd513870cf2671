// How long it takes from the navigation until the first rows of the list are in the page, in milliseconds.

/** Told by the page itself: when rows are there, on the clock that begins with the navigation. */
const WHEN_ROWS_ARE_THERE = () => {
  globalThis.rowsAt = new Promise((done) => {
    const look = () => document.querySelector("article[data-id]") && done(performance.now());
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
  });
};

async function once(context, url) {
  const page = await context.newPage();
  await page.addInitScript(WHEN_ROWS_ARE_THERE);
  await page.goto(new URL("/issues?q=is%3Aactive", url).href);
  const rowsAt = await page.evaluate(() => globalThis.rowsAt);
  await page.close();
  return rowsAt;
}

/** `rounds` navigations with nothing of the page in the browser (`cold`), and as many again with its files (`warm`). */
export async function first({ newContext }, url, { rounds }) {
  const cold = [];
  const warm = [];
  for (let round = 0; round <= rounds; round += 1) {
    const context = await newContext();
    const times = [await once(context, url), await once(context, url)];
    await context.close();
    // The first of all is the browser's own first.
    if (round === 0) continue;
    cold.push(times[0]);
    warm.push(times[1]);
  }
  return { cold, warm };
}
