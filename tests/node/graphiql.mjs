// Opens the page of `argv[2]` in a real browser, runs every example, and prints what was seen as JSON.
import { launch } from "./browser.mjs";

const url = process.argv[2];
const browser = await launch();
const page = await browser.newPage();
const seen = { problems: [], elsewhere: [], answers: {} };
page.on("console", (message) => {
  if (message.type() === "error") seen.problems.push(message.text());
});
page.on("pageerror", (error) => seen.problems.push(error.message));
page.on("requestfailed", (request) => seen.problems.push(`failed: ${request.url()}`));
page.on("request", (request) => {
  if (!request.url().startsWith(new URL("/", url).href) && !request.url().startsWith("data:")) seen.elsewhere.push(request.url());
});

await page.goto(url);
await page.waitForSelector(".graphiql-execute-button");
// The editor knows what it may run only when it has read the schema.
await page.waitForLoadState("networkidle");
const result = page.locator(".result-window");
for (const tab of await page.locator(".graphiql-tab").all()) {
  await tab.locator("button").first().click();
  // GraphiQL reads a tab's operations a moment after it shows the tab.
  await page.waitForTimeout(1000);
  await page.locator(".graphiql-execute-button").click();
  await page.waitForFunction(() => document.querySelector(".result-window").innerText.includes('"data"'));
  seen.answers[await tab.innerText()] = (await result.innerText()).replace(/\s+/g, " ");
}
await browser.close();
console.log(JSON.stringify(seen));
