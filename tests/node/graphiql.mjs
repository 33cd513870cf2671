// Opens GraphiQL as a person does: node graphiql.mjs URL. Prints what it saw as JSON.
import { launch } from "./browser.mjs";

const url = process.argv[2];
const browser = await launch();
const seen = { errors: [], foreign: [] };
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== "data:" && asked.host !== new URL(url).host) seen.foreign.push(asked.href);
  });
  const result = async (text) => {
    await page.click(".graphiql-execute-button");
    await page.waitForFunction(
      (part) => document.querySelector(".result-window")?.textContent.includes(part),
      text,
    );
    return page.textContent(".result-window");
  };

  await page.goto(url);
  await page.waitForSelector(".graphiql-execute-button");
  seen.tabs = await page.locator(".graphiql-tab-button").allTextContents();
  seen.query = await result("totalCount");
  await page.getByRole("tab", { name: "Watch" }).or(page.locator("button:text-is('Watch')")).first().click();
  // The page notices a little later that another operation is in the editor.
  await page.waitForTimeout(1000);
  await result("position");
  await fetch(new URL("/api/v1/webhooks/build-failure?namespace=team-a", url), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ componentName: "shop", namespace: "team-a", errorMessage: "out of disk" }),
  });
  await page.waitForFunction(() => document.querySelector(".result-window").textContent.includes("ENTERED"));
  seen.event = await page.textContent(".result-window");
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
