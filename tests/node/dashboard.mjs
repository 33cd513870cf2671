// Does in a real browser what people do on the page of `argv[2]`, and prints what was seen as JSON.
// What follows names the parts to play.
import { launch } from "./browser.mjs";
import { accessible } from "./dashboard/accessible.mjs";
import { away } from "./dashboard/away.mjs";
import { bulk } from "./dashboard/bulk.mjs";
import { deleting } from "./dashboard/deleting.mjs";
import { graph } from "./dashboard/graph.mjs";
import { groups } from "./dashboard/groups.mjs";
import { issue } from "./dashboard/issue.mjs";
import { list } from "./dashboard/list.mjs";
import { overview } from "./dashboard/overview.mjs";
import { path } from "./dashboard/path.mjs";
import { replays } from "./dashboard/replays.mjs";
import { replicas } from "./dashboard/replicas.mjs";
import { wall } from "./dashboard/wall.mjs";
import { webhooks } from "./dashboard/webhooks.mjs";

const [url, ...names] = process.argv.slice(2);
const parts = { list, bulk, groups, issue, overview, graph, webhooks, deleting, replays, wall, accessible, replicas, path, away };
const browser = await launch();
const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 800 } });
context.setDefaultTimeout(20_000);
const seen = { problems: [], elsewhere: [] };
context.on("console", (message) => {
  // One request is cut off on purpose.
  if (message.text().includes("net::ERR_FAILED")) return;
  if (message.type() === "error" || message.type() === "warning") seen.problems.push(message.text());
});
context.on("weberror", (error) => seen.problems.push(error.error().message));
context.on("request", (request) => {
  if (!request.url().startsWith(url)) seen.elsewhere.push(request.url());
});
for (const name of names) seen[name] = await parts[name](context, url);
await browser.close();
console.log(JSON.stringify(seen));
