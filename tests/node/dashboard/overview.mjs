// The overview: one request and two subscriptions on one socket, live, and each number leads to its list.
import { report } from "./reporting.mjs";

// Compressed, with the chart.
const MOST_BYTES = 100_000;

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
  await page.close();
  return asked;
}
