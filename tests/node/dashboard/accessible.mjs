// What axe-core finds serious on each screen, in both themes, wide and narrow.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { report } from "./reporting.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

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
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => axe.run());
      const wideness = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      if (wideness) found.push(`${screen} ${width}: wider than the window`);
      for (const { id, impact, nodes } of violations) {
        if (impact !== "serious" && impact !== "critical") continue;
        found.push(`${screen} ${colorScheme} ${width}: ${id} ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
      }
    }
  }
  await page.close();
  return found;
}
