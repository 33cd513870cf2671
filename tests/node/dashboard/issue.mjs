// One issue: understood, acted on with a way back, told honestly when that fails, and live.
import { fail, report, succeed } from "./reporting.mjs";
import { cutNext } from "./requests.mjs";

export async function issue(context, url) {
  const seen = {};
  const page = await context.newPage();
  const button = (name) => page.getByRole("button", { name, exact: true });
  const timeline = page.getByRole("region", { name: /^Timeline/ }).getByRole("listitem");
  const state = page.locator("h1 + p .state");

  const { issue } = await fail(url, "deploy", "run-1", "first reason");
  await fail(url, "deploy", "run-2", "second reason");
  const cause = await report(url, { title: "The cause", scope: { resourceType: "service", resourceName: "cause" } });
  await page.goto(issue.url);
  await page.getByRole("heading", { level: 1, name: /deploy/ }).waitFor();
  seen.reasons = await page.getByRole("region", { name: /^Reports/ }).locator("pre").allInnerTexts();
  seen.timeline = await timeline.locator("strong").allInnerTexts();

  await cutNext(page, "Resolve");
  await button("Resolve").click();
  seen.failure = await page.getByRole("alert").locator("span").innerText();
  seen.stateAfterFailure = await state.innerText();

  await button("Resolve").click();
  await page.locator(".state.RESOLVED").waitFor();
  await timeline.getByText("Resolved", { exact: true }).waitFor();
  await page.getByRole("log").getByRole("button", { name: "Undo" }).click();
  await page.locator(".state.ACTIVE").waitFor();
  await timeline.getByText("Active again").waitFor();

  await page.keyboard.press("a");
  await page.getByText("local is on it").waitFor();

  await button("Relate…").click();
  await page.getByLabel("Which issue").fill("cause is:active");
  await page.getByRole("radio", { name: /The cause/ }).check();
  await page.getByLabel("Which issue").fill(cause.id);
  await page.getByRole("radio", { name: /The cause/, checked: true }).waitFor();
  await page.getByLabel(/^Why/).fill("it went away with it");
  await button("Relate").click();
  await page.getByRole("region", { name: /^Related/ }).getByRole("link", { name: "The cause" }).waitFor();
  seen.relation = (await page.getByRole("region", { name: /^Related/ }).getByRole("listitem").innerText()).replace(/\s+/g, " ");

  await succeed(url, "deploy");
  await page.locator(".state.RESOLVED").waitFor();

  await page.goto(cause.url);
  await button("Delete…").click();
  await button("Keep it").click();
  await button("Delete…").click();
  await button("Delete for good").click();
  await page.waitForURL("**/issues");
  await page.goto(cause.url);
  await page.getByText("There is no such issue").waitFor();
  await page.close();
  return seen;
}
