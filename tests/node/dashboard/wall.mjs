// The wall: the worst issues, large and live, nothing to press, and red when the connection is lost.
import { seriousOn } from "./accessible.mjs";
import { report } from "./reporting.mjs";
import { cuttable } from "./sockets.mjs";

export async function wall(context, url) {
  const seen = { serious: [] };
  const page = await context.newPage();
  const sockets = await cuttable(page);
  const make = (title, severity) => report(url, { title, severity, namespace: "wall", scope: { resourceType: "service", resourceName: title } });
  const titles = () => page.locator("article .title").allInnerTexts();
  const critical = page.locator("li.CRITICAL .count");

  await make("A nuisance", "MINOR");
  await make("A trouble", "MAJOR");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.goto(`${url}?wall&q=namespace:wall%20is:active`);
  await page.getByText("A nuisance", { exact: true }).waitFor();
  await page.locator(".state.live").waitFor();
  await page.waitForFunction(() => document.querySelector("li.CRITICAL .count")?.textContent === "0");
  await make("A disaster", "CRITICAL");
  await page.getByText("A disaster", { exact: true }).waitFor();
  await page.waitForFunction(() => document.querySelector("li.CRITICAL .count")?.textContent === "1");
  seen.titles = await titles();
  seen.critical = await critical.innerText();
  seen.toPress = await page.locator("a, button, input, select, [tabindex]").count();
  seen.isLarge = await page.locator("article .title").first().evaluate((title) => parseFloat(getComputedStyle(title).fontSize) >= 28);
  seen.isDark = await page.evaluate(() => document.documentElement.dataset.theme);
  seen.serious.push(...(await seriousOn(page)));

  await sockets.cut();
  await page.getByRole("alert").getByText("Connection lost").waitFor();
  seen.lost = await page.locator("footer").evaluate((footer) => /What you see is \d+s old/.test(footer.textContent));
  seen.serious.push(...(await seriousOn(page)));
  await make("Another disaster", "CRITICAL");
  sockets.mend();
  await page.getByText("Another disaster", { exact: true }).waitFor();
  await page.locator(".state.live").waitFor();
  seen.titlesAfterwards = await titles();
  await page.setViewportSize({ width: 360, height: 740 });
  seen.serious.push(...(await seriousOn(page)));

  await page.goto(`${url}?wall&q=namespace:nobody`);
  await page.getByText("Nothing is broken").waitFor();
  await page.close();
  return seen;
}
