// A new user's path, beside `issuegraph demo --live`: from the overview to a failing pipeline, why it fails, its cause in the graph,
// and its repair. Each step is told with its seconds and has a picture in the directory PICTURES.
import { join } from "node:path";
import { succeed } from "./reporting.mjs";

const NAME = "runner-image";

export async function path(context, url) {
  const seen = { steps: [] };
  const page = await context.newPage();
  let begun = performance.now();
  const step = async (name) => {
    seen.steps.push([name, Math.round(performance.now() - begun) / 1_000]);
    await page.screenshot({ path: join(process.env.PICTURES, `${seen.steps.length}.png`), animations: "disabled" });
    begun = performance.now();
  };
  const title = (name) => page.getByRole("heading", { level: 1, name });

  await page.goto(url);
  await page.getByRole("region", { name: "Newest" }).getByRole("article").first().waitFor();
  await page.locator(".state.live").waitFor();
  await step("open the page");

  // Something happens while one looks.
  await page.getByText(/^last change \d+s ago$/).waitFor();
  await step("see it live");

  await page.getByRole("region", { name: "By type" }).getByRole("link", { name: "Pipeline" }).click();
  const row = page.locator("article", { hasText: `Pipeline run failed: ${NAME}` });
  await row.waitFor();
  seen.query = new URL(page.url()).searchParams.get("q");
  await step("find the failing pipeline");

  await row.getByRole("link").first().click();
  await title(`Pipeline run failed: ${NAME}`).waitFor();
  seen.why = await page.getByRole("region", { name: "Newest reason" }).locator("pre").innerText();
  await step("see why");

  await page.getByRole("region", { name: /^Related/ }).getByRole("link", { name: "Graph" }).click();
  const plane = page.getByRole("region", { name: "Graph" });
  const cause = plane.getByRole("link", { name: "registry is degraded" });
  await cause.waitFor();
  const left = async (link) => (await link.boundingBox()).x;
  seen.causeIsLeft = (await left(cause)) < (await left(plane.locator("[aria-current]")));
  await step("look at the graph");
  await cause.click();
  await title("registry is degraded").waitFor();
  seen.cause = await page.getByRole("region", { name: "Newest reason" }).locator("pre").innerText();
  seen.somebody = await page.getByText("Maria is on it").count();
  await step("follow it to the cause");

  await page.goBack();
  await cause.waitFor();
  await page.goBack();
  await title(`Pipeline run failed: ${NAME}`).waitFor();
  await page.getByRole("button", { name: "Acknowledge" }).click();
  await page.getByText("local is on it").waitFor();
  await step("acknowledge");

  await succeed(url, NAME, "platform");
  await page.locator(".state.RESOLVED").waitFor();
  await page.getByRole("region", { name: /^Timeline/ }).getByText("Resolved", { exact: true }).first().waitFor();
  await step("watch the success resolve it");
  await page.close();
  return seen;
}
