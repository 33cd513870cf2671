// Two servers on one database: what is reported to the other is seen on this one, and what is done here is known there.
import { ask, fail, succeed } from "./reporting.mjs";

export async function replicas(context, url) {
  const other = process.env.OTHER_REPLICA;
  const page = await context.newPage();
  const row = (name) => page.locator("article", { hasText: name });
  const known = async () => {
    const { issues } = await ask(other, "{ issues { nodes { state acknowledgedBy { name } } } }");
    return issues.nodes.map(({ state, acknowledgedBy }) => `${state} ${acknowledgedBy?.name ?? "nobody"}`);
  };
  // The page shows at once what it asks for.
  const soon = async (wanted) => {
    for (let times = 0; times < 100 && (await known())[0] !== wanted; times++) await page.waitForTimeout(100);
    return known();
  };
  await page.goto(`${url}issues?q=is:active`);
  await page.getByText("Nothing is broken").waitFor();
  await page.locator(".state.live").waitFor();

  await fail(other, "elsewhere", "run-1");
  await row("elsewhere").waitFor();
  await fail(other, "elsewhere", "run-2");
  await row("elsewhere").getByText("×2").waitFor();

  await page.keyboard.press("j");
  await page.keyboard.press("a");
  await row("elsewhere").getByRole("img", { name: "local is on it" }).waitFor();
  const seen = { acknowledged: await soon("ACTIVE local") };

  await succeed(other, "elsewhere");
  await row("elsewhere").waitFor({ state: "detached" });
  seen.resolved = await soon("RESOLVED local");
  await page.close();
  return seen;
}
