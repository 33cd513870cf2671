// What axe-core finds serious on each screen, in both themes, wide and narrow.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { report } from "./reporting.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds serious on the page as it is, and whether it is wider than its window. */
export async function seriousOn(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run());
  const found = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) found.push("wider than the window");
  return found;
}

export async function accessible(context, url) {
  const found = [];
  const page = await context.newPage();
  const { id } = await report(url, { title: "For everybody", scope: { resourceType: "service", resourceName: "all" } });
  const screens = ["", "issues", `issues/${id}`, `graph/${id}`, `graph/${id}?table=1`, "issues/nothing"];
  for (const [colorScheme, width] of [["light", 1280], ["dark", 360]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 800 });
    for (const screen of screens) {
      await page.goto(url + screen);
      await page.locator("main h1, main h2").first().waitFor({ state: "attached" });
      await page.locator("[role=status]", { hasText: "Loading" }).waitFor({ state: "detached" });
      found.push(...(await seriousOn(page)).map((each) => `${screen} ${colorScheme} ${width}: ${each}`));
    }
  }
  await page.close();
  return found;
}
