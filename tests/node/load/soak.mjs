// The list and the overview, open while events come: which frames were dropped, and what the pages hold before and after.
import { opened } from "./tab.mjs";

const FRAME_MS = 1_000 / 60;
const LOOKS = 7;
const BETWEEN_LOOKS_SECONDS = 0.7;

/** Counts frames from now on; `stopCounting()` tells how many were due, how many of them were not drawn, the longest. */
const COUNT = (frameMs) => {
  const seen = { dropped: 0, longest: 0 };
  const begun = performance.now();
  let last = begun;
  let isOn = true;
  const frame = (now) => {
    seen.dropped += Math.max(0, Math.round((now - last) / frameMs) - 1);
    seen.longest = Math.max(seen.longest, now - last);
    last = now;
    if (isOn) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  globalThis.stopCounting = () => {
    isOn = false;
    return { ...seen, due: Math.round((performance.now() - begun) / frameMs) };
  };
};

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1_000));

const count = async (tab, seconds) => {
  await tab.evaluate(COUNT, FRAME_MS);
  await pause(seconds);
  return tab.evaluate(() => globalThis.stopCounting());
};

/** What a tab holds besides what just came and waits to be drawn: the least of several looks. */
async function kept(tab) {
  const looks = [];
  for (let turn = 0; turn < LOOKS; turn += 1) {
    looks.push(await tab.held());
    await pause(BETWEEN_LOOKS_SECONDS);
  }
  return { ...looks[0], bytes: Math.min(...looks.map(({ bytes }) => bytes)) };
}

/** Says `ready` when the pages are live, and begins when a line comes. */
export async function soak({ browser }, url, { seconds, paths, restSeconds }) {
  const tabs = [];
  for (const path of paths) {
    const tab = await opened(browser, new URL(path, url).href);
    await tab.waitFor(".state.live");
    await tab.waitFor("article[data-id]");
    tabs.push(tab);
  }
  await pause(restSeconds);
  const atRest = await Promise.all(tabs.map((tab) => count(tab, restSeconds)));
  console.log(JSON.stringify({ ready: true }));
  await new Promise((done) => process.stdin.once("data", done));
  // Some of the storm comes first: what is made once is no growth.
  await pause(restSeconds);
  const before = await Promise.all(tabs.map(kept));
  const frames = await Promise.all(tabs.map((tab) => count(tab, seconds)));
  const after = await Promise.all(tabs.map(kept));
  process.stdin.destroy();
  return { pages: paths.map((path, at) => ({ path, atRest: atRest[at], frames: frames[at], before: before[at], after: after[at] })) };
}
