// The overview: one request and two subscriptions on one socket, live, and each number leads to its list.
import { ask, report } from "./reporting.mjs";

// Compressed, with the chart.
const MOST_BYTES = 100_000;

const RESOLVE = `mutation ($ids: [ID!]!) { resolveIssues(input: { ids: $ids }) { issues { id } } }`;

export async function overview(context, url) {
  const seen = { requests: 0, sockets: 0, subscriptions: 0 };
  const page = await context.newPage();
  page.on("request", (request) => (seen.requests += request.url().endsWith("/graphql") ? 1 : 0));
  const files = [];
  page.on("requestfinished", (request) => {
    if (request.url().includes("/static/")) files.push(request.sizes());
  });
  page.on("websocket", (socket) => {
    seen.sockets += 1;
    socket.on("framesent", ({ payload }) => (seen.subscriptions += payload.includes('"subscribe"') ? 1 : 0));
  });
  const critical = page.getByRole("list", { name: "Open issues by severity" }).getByRole("link").first();
  const number = async () => Number((await critical.innerText()).split(/\s/)[0]);

  await page.goto(url);
  await page.locator(".state.live").waitFor();
  await page.locator(".chart canvas").waitFor();
  const before = await number();
  await report(url, { title: "On fire", severity: "CRITICAL", scope: { resourceType: "service", resourceName: "fire" } });
  await page.getByRole("region", { name: "Newest" }).getByText("On fire").waitFor();
  await page.waitForFunction((old) => Number(document.querySelector(".count").innerText) > old, before);
  seen.more = (await number()) - before;
  const asked = { ...seen };
  const sizes = await Promise.all(files);
  asked.isLight = sizes.length > 3 && sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0) < MOST_BYTES;
  await page.getByRole("button", { name: "24 hours" }).click();
  await page.waitForURL("**/?range=day");
  await critical.click();
  await page.locator("article", { hasText: "On fire" }).waitFor();
  asked.query = new URL(page.url()).searchParams.get("q");

  // Of the newest so many end that others must come after them.
  const make = (place) => report(url, { title: `Old ${place}`, scope: { resourceType: "service", resourceName: `old-${place}` } });
  const made = [];
  for (let place = 0; place < 30; place += 1) made.push(await make(place));
  await page.goto(url);
  const titles = page.getByRole("region", { name: "Newest" }).locator("article .title");
  await titles.getByText("Old 29", { exact: true }).waitFor();
  await page.locator(".state.live").waitFor();
  await page.mouse.move(600, 20);
  await ask(url, RESOLVE, { ids: made.slice(10).map(({ id }) => id) });
  await titles.getByText("Old 9", { exact: true }).waitFor();
  await titles.getByText("Old 0", { exact: true }).waitFor();
  asked.newest = await titles.count();
  await page.close();
  return asked;
}
