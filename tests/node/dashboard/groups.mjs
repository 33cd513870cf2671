// The list by scope: counted by the server, opened in the URL, live, and with the same actions.
import { seriousOn } from "./accessible.mjs";
import { report } from "./reporting.mjs";
import { cutNext } from "./requests.mjs";

export async function groups(context, url) {
  const seen = {};
  const page = await context.newPage();
  const make = (title, resourceName) => report(url, { title, namespace: "grouped", scope: { resourceType: "service", resourceName }, fingerprint: [{ name: "t", value: title }] });
  const heading = (name) => page.getByRole("heading", { level: 2 }).getByRole("button", { name: new RegExp(`^service/${name} `) });
  const headings = async () => (await page.getByRole("main").locator("section h2").allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
  const row = (title) => page.locator("article", { hasText: title });
  for (const number of [1, 2, 3]) await make(`Api ${number}`, "api");
  await make("Web 1", "web");

  await page.goto(`${url}issues?q=namespace:grouped%20is:active`);
  await row("Api 1").waitFor();
  await page.getByRole("button", { name: "By scope" }).click();
  await heading("api").waitFor();
  seen.groups = await headings();
  await heading("web").click();
  await heading("api").click();
  await row("Api 3").waitFor();
  seen.titles = await page.locator("article .title").allInnerTexts();
  seen.serious = await seriousOn(page);
  const here = new URL(page.url());
  seen.query = `${here.searchParams.get("group")} ${here.searchParams.get("open").split(",").length}`;

  await page.mouse.move(600, 20);
  await page.locator(".state.live").waitFor();
  await make("Web 2", "web");
  await row("Web 2").waitFor();
  for (const number of [3, 4, 5]) await make(`Web ${number}`, "web");
  await heading("web").getByText("5", { exact: true }).waitFor();
  await page.reload();
  await row("Web 5").waitFor();
  seen.groupsAfterwards = await headings();

  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected").waitFor();
  await page.keyboard.press("e");
  await row("Web 5").waitFor({ state: "detached" });
  await heading("web").getByText("4", { exact: true }).waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: "dark" });
  seen.serious.push(...(await seriousOn(page)));

  // More scopes than come at once.
  await Promise.all(Array.from({ length: 128 }, (_, place) => make("Many", `many-${place}`)));
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${url}issues?q=namespace:grouped%20is:active&group=scope`);
  await page.getByText("These are the 100 scopes with the most; 30 issues lie in others.").waitFor();
  await cutNext(page, "Groups");
  await page.getByRole("button", { name: "More scopes" }).click();
  await page.getByText("More scopes: not done. The server cannot be reached").waitFor();
  await page.getByRole("button", { name: "More scopes" }).click();
  await page.getByText("These are the").waitFor({ state: "detached" });
  const last = page.getByRole("main").locator("section h2").last();
  seen.all = [await page.getByRole("main").locator("section h2").count(), await last.locator(".count").innerText()];
  const lastName = (await last.locator(".mono").innerText()).replace("service/", "");
  await make("One more", lastName);
  await heading(lastName).getByText("2", { exact: true }).waitFor();
  seen.allAfterwards = await page.getByRole("main").locator("section h2").count();
  await page.close();
  return seen;
}
