// Scrolls through the whole list, page by page, to its end.
import { heapOf } from "./heap.mjs";

const DOWN = async () => {
  const scroller = document.querySelector(".scroller");
  const frame = () => new Promise(requestAnimationFrame);
  const seen = { rows: 0, jumps: 0, longest: 0 };
  const end = () => document.querySelector("li[aria-posinset]").getAttribute("aria-setsize") !== "-1";
  let before = performance.now();
  for (;;) {
    scroller.scrollTop = scroller.scrollHeight;
    await frame();
    const [row] = document.querySelectorAll("li[aria-posinset]");
    const place = row.getAttribute("aria-posinset");
    const top = row.getBoundingClientRect().top + scroller.scrollTop;
    const height = scroller.scrollHeight;
    seen.rows = Math.max(seen.rows, document.querySelectorAll("li[aria-posinset]").length);
    // Until the next page is there; what was there has not moved then.
    while (scroller.scrollHeight === height && !end()) await frame();
    const same = document.querySelector(`li[aria-posinset="${place}"]`);
    if (same && Math.abs(same.getBoundingClientRect().top + scroller.scrollTop - top) > 1) seen.jumps += 1;
    const now = performance.now();
    seen.longest = Math.max(seen.longest, now - before);
    before = now;
    if (scroller.scrollHeight === height && end()) return seen;
  }
};

/** All of it: how many issues, seconds to the end, the most rows in the DOM, rows that moved, heap before and after. */
export async function scroll({ newContext }, url) {
  const context = await newContext();
  const page = await context.newPage();
  let requests = 0;
  page.on("request", (request) => (requests += request.url().endsWith("/graphql") ? 1 : 0));
  await page.goto(new URL("/issues", url).href);
  await page.locator("article").first().waitFor();
  const before = await heapOf(page);
  requests = 0;
  const begun = Date.now();
  const seen = await page.evaluate(DOWN);
  const seconds = (Date.now() - begun) / 1_000;
  const all = requests;
  const last = page.locator("li[aria-posinset]").last();
  await last.locator("article").waitFor();
  const issues = Number(await last.getAttribute("aria-posinset"));
  const lastTitle = await last.locator(".title").innerText();
  const after = await heapOf(page);
  // Back in the middle, what was seen is shown again, where it was.
  const middle = Math.floor(issues / 2);
  await page.evaluate((place) => {
    const scroller = document.querySelector(".scroller");
    scroller.scrollTop = (scroller.scrollHeight / Number(place.of)) * place.at;
  }, { at: middle, of: issues });
  await page.locator(`li[aria-posinset='${middle}'] article`).waitFor();
  await context.close();
  return { issues, lastTitle, seconds, requests: all, ...seen, before, after };
}
