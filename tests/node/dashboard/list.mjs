// The list: live, searchable, still under the reader's eyes, and right again after the connection was lost.
import { seriousOn } from "./accessible.mjs";
import { fail, report, succeed } from "./reporting.mjs";
import { cuttable } from "./sockets.mjs";

export async function list(context, url) {
  const seen = {};
  const page = await context.newPage();
  const sockets = await cuttable(page);
  const row = (name) => page.locator("article", { hasText: name });
  const query = () => new URL(page.url()).searchParams.get("q");
  const firstTitle = () => page.locator("li[aria-posinset='1'] .title").innerText();

  await page.goto(url);
  await page.getByRole("link", { name: "Issues", exact: true }).click();
  await page.getByText("Nothing is broken").waitFor();
  await page.locator(".state.live").waitFor();
  seen.asked = query();

  await fail(url, "nightly", "run-1");
  await row("nightly").waitFor();
  await fail(url, "nightly", "run-2");
  await row("nightly").getByText("×2").waitFor();
  seen.total = await page.locator(".total").innerText();

  await report(url, { title: "Bad news", severity: "CRITICAL", scope: { resourceType: "service", resourceName: "s" } });
  await row("Bad news").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(" sev");
  await page.getByRole("option", { name: "severity:", exact: true }).click();
  await page.getByRole("option", { name: "severity:critical" }).click();
  await row("nightly").waitFor({ state: "detached" });
  seen.searched = query();
  await page.getByRole("checkbox", { name: /Major/ }).check();
  await row("nightly").waitFor();
  seen.widened = query();
  await page.goBack();
  await page.goForward();
  await page.getByRole("link", { name: "Broken now" }).click();

  await row("nightly").waitFor();
  for (const key of ["j", "j", "k", "a"]) await page.keyboard.press(key);
  await row("Bad news").getByRole("img", { name: "local is on it" }).waitFor();

  await succeed(url, "nightly");
  await row("nightly").waitFor({ state: "detached" });

  const scope = (number) => ({ resourceType: "component", resourceName: `c-${String(number).padStart(3, "0")}` });
  const begun = Date.now() - 3_600_000;
  const many = Array.from({ length: 120 }, (_, number) => {
    const detectedAt = new Date(begun + number * 1_000).toISOString();
    return report(url, { title: `Test ${scope(number).resourceName}`, scope: scope(number), detectedAt });
  });
  await Promise.all(many);
  await page.getByText("121 issues").waitFor();
  const scroller = page.getByRole("region", { name: "Issues" });
  await page.reload();
  await row("c-119").waitFor();
  await scroller.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await page.waitForFunction(() => document.querySelectorAll("li[aria-setsize]").length > 0);
  await scroller.evaluate((element) => (element.scrollTop = 40 * 48));
  await row("c-075").waitFor();
  seen.rowsInPage = (await page.locator("article").count()) < 80;
  const top = await row("c-075").boundingBox();
  await report(url, { title: "The newest", scope: { resourceType: "service", resourceName: "new" } });
  await page.getByRole("button", { name: "1 new" }).waitFor();
  seen.stayed = (await row("c-075").boundingBox()).y === top.y;
  await page.getByRole("button", { name: "1 new" }).click();
  await row("The newest").waitFor();
  seen.first = await firstTitle();

  await page.mouse.move(600, 300);
  await report(url, { title: "Under the mouse", scope: { resourceType: "service", resourceName: "mouse" } });
  await page.getByRole("button", { name: "1 new" }).waitFor();
  seen.firstWhilePointedAt = await firstTitle();
  await page.mouse.move(600, 20);
  await row("Under the mouse").waitFor();

  await sockets.cut();
  await page.locator(".state.offline").waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  seen.seriousOffline = await seriousOn(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await report(url, { title: "While away", scope: { resourceType: "service", resourceName: "away" } });
  sockets.mend();
  await page.getByRole("button", { name: "Try now" }).click();
  await page.getByText("Caught up · 1 change missed").waitFor();
  await row("While away").waitFor();
  seen.firstAfterwards = await firstTitle();
  await page.close();
  return seen;
}
