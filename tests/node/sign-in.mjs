// Goes to `argv[2]` in a real browser, signs in there with the token `argv[3]`, asks the API, signs out, and prints
// what was seen as JSON.
import { launch } from "./browser.mjs";
import { seriousOn } from "./dashboard/accessible.mjs";

const [url, token] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext({ locale: "en-US" });
const page = await context.newPage();
const seen = { problems: [] };
page.on("console", (message) => {
  // A form that is refused is answered with 403, which the console tells of.
  if (message.type() === "error" && !message.text().includes("403")) seen.problems.push(message.text());
});
page.on("pageerror", (error) => seen.problems.push(error.message));

await page.goto(url);
seen.ledTo = new URL(page.url()).pathname;
await page.fill("#token", "nonsense");
await page.click("button");
seen.refused = await page.innerText("[role=alert]");
await page.fill("#token", token);
await page.click("button");
await page.waitForSelector(".who");
seen.cameTo = new URL(page.url()).pathname;
seen.who = await page.getAttribute(".who", "title");
await page.setViewportSize({ width: 360, height: 740 });
seen.serious = await seriousOn(page);
await page.setViewportSize({ width: 1280, height: 800 });
await page.click("text=Issues");
await page.waitForSelector(".state.live");
seen.cookies = (await context.cookies()).map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]);
seen.scriptsSee = await page.evaluate(() => document.cookie);
await page.click("text=GraphiQL");
await page.waitForSelector(".graphiql-execute-button");
seen.whoThere = await page.innerText("#who span");
await page.waitForLoadState("networkidle");
const result = page.locator(".result-window");
for (const name of ["ActiveIssues", "Watch"]) {
  await page.locator(".graphiql-tab button", { hasText: name }).first().click();
  await page.waitForTimeout(1000);
  await page.locator(".graphiql-execute-button").click();
  await page.waitForFunction(() => document.querySelector(".result-window").innerText.includes('"data"'));
  seen[name] = (await result.innerText()).replace(/\s+/g, " ");
}
const watching = await context.newPage();
await watching.goto(`${url}issues?q=is:active`);
await watching.waitForSelector(".state.live");
await page.goto(url);
await page.click("text=Sign out");
await page.waitForSelector("#token");
seen.leadsBack = await watching.getAttribute(".state.signed-out a", "href");
seen.after = (await context.cookies()).map(({ name }) => name);
await page.goto(url);
seen.ledToAgain = new URL(page.url()).pathname;
await browser.close();
console.log(JSON.stringify(seen));
