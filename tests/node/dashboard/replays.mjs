// All that failed is done again: after a question, step by step, with a way to stop, and told honestly what came of it.
import { seriousOn } from "./accessible.mjs";
import { definition, make, save, SECRET } from "./deployer.mjs";
import { deliver } from "./reporting.mjs";
import { cutNext, onNext } from "./requests.mjs";

const MANY = 230;

export async function replays(context, url) {
  const seen = { serious: [] };
  const page = await context.newPage();
  const button = (name) => page.getByRole("button", { name, exact: true });
  const dialog = page.getByRole("dialog");
  const strip = page.getByRole("region", { name: "Deliveries done again" });
  const told = async () => (await strip.getByRole("status").innerText()).replace(/\s+/g, " ");
  const fail = (name, app, level) => deliver(url, name, "team", SECRET, { kind: "deploy", ok: false, app, level, stage: "prod" });
  await make(url, "many");
  await make(url, "other");
  await fail("other", "foreign", "odd");
  for (const app of ["a", "b", "c"]) await fail("many", app, "still odd");
  await Promise.all(Array.from({ length: MANY - 3 }, (_, place) => fail("many", `app-${place}`, "odd")));
  await save(url, "many", 1, definition(`'\${body.level == "odd" ? "minor" : body.level}'`));

  await page.goto(`${url}deliveries?webhook=many&outcome=handled`);
  await page.getByText("No delivery fits").waitFor();
  seen.offeredForHandled = await button("Do all that failed again…").count();
  await page.goto(`${url}deliveries?webhook=many&outcome=failed`);
  await page.getByText(`${MANY} deliveries`).waitFor();
  await page.locator(".state.live").waitFor();
  await button("Do all that failed again…").click();
  await dialog.getByRole("heading", { name: `Do ${MANY} deliveries again?` }).waitFor();
  seen.asked = await dialog.getByRole("paragraph").first().innerText();
  seen.serious.push(...(await seriousOn(page)));

  // The first step waits until it was asked to stop, the second never comes.
  let isAsked;
  const asked = new Promise((done) => (isAsked = done));
  let letGo;
  const gate = new Promise((done) => (letGo = done));
  await onNext(page, "ReplayMany", async (route) => {
    isAsked();
    await gate;
    await route.continue();
  });
  await button("Do them again").click();
  await asked;
  await button("Stop").click();
  await strip.getByText("Stopping").waitFor();
  letGo();
  await strip.getByText("Stopped").waitFor();
  seen.stopped = await told();
  seen.serious.push(...(await seriousOn(page)));

  await cutNext(page, "ReplayMany");
  await button("Go on").click();
  await strip.getByRole("alert").waitFor();
  seen.why = await strip.getByRole("alert").innerText();
  seen.interrupted = await told();
  // It is there on other screens, too, and when one comes back.
  await page.getByRole("link", { name: "Webhooks", exact: true }).first().click();
  await page.getByRole("heading", { name: "Webhooks", level: 1 }).waitFor();
  await page.goBack();
  await button("Go on").click();
  await strip.getByText("All were done again").waitFor();
  seen.done = await told();
  await page.getByRole("listitem").getByText("Handled").first().waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  seen.serious.push(...(await seriousOn(page)));
  await strip.getByRole("button", { name: "Close" }).click();
  await page.reload();
  await page.getByText("3 deliveries").waitFor();

  await page.getByLabel("Of the webhook").selectOption("all webhooks");
  await page.getByText("4 deliveries").waitFor();
  await page.close();
  return seen;
}
