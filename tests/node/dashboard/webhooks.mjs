// A webhook of one's own: written from a template with a dry run beside it, watched, mended, and done again.
import { seriousOn } from "./accessible.mjs";
import { definition, save, SECRET } from "./deployer.mjs";
import { believing, deliver } from "./reporting.mjs";

export async function webhooks(context, url) {
  const seen = { serious: [] };
  const page = await context.newPage();
  const sockets = [];
  page.on("websocket", (socket) => sockets.push(socket));
  const area = (name) => page.getByRole("textbox", { name });
  const button = (name) => page.getByRole("button", { name, exact: true });
  const result = page.getByRole("region", { name: /^Dry run/ }).getByRole("article");
  const check = async (name) => seen.serious.push(...(await seriousOn(page)).map((each) => `${name}: ${each}`));
  const first = { kind: "deploy", ok: false, app: "shop", level: "odd", stage: "prod" };

  await page.goto(`${url}webhooks`);
  await page.getByText("No webhook of your own yet").waitFor();
  await page.getByRole("main").getByRole("link", { name: "New webhook" }).last().click();
  await page.getByLabel("Start from").selectOption({ label: "Jenkins" });
  await page.waitForFunction(() => document.querySelector("textarea").value.includes("title: Jenkins"));
  seen.template = await page.getByLabel("Name").inputValue();
  await page.getByLabel("Name").fill("deployer");
  await page.getByLabel("May report in").fill("team");
  await area("Definition (YAML)").fill(definition("${body.level").replace("body.ok == false", "body.ok ==== 1"));
  await page.getByRole("button", { name: "line 8", exact: true }).waitFor();
  seen.problem = (await page.locator(".problems code").first().innerText()).trim();
  await check("problems");
  await button("Save").click();
  await page.locator("form .problems").getByText("body.ok ==== 1", { exact: true }).waitFor();
  seen.stillNew = new URL(page.url()).search;

  await area("Definition (YAML)").fill(definition("${body.level}"));
  await area("Payload").fill(JSON.stringify(first));
  await result.getByText("severity: 'odd' is not known").waitFor();
  await area("Payload").fill(JSON.stringify({ ...first, level: "major" }));
  await result.getByText("would report an issue").waitFor();
  await result.getByText("a new issue").waitFor();
  await check("dry run");
  await page.getByLabel("Secret", { exact: true }).fill(SECRET);
  await button("Save").click();
  await page.waitForURL("**/webhooks/deployer");
  await page.getByText("Has secrets").waitFor();
  seen.secret = await page.getByLabel("A secret more").inputValue();
  seen.curl = (await page.getByRole("region", { name: "To send from a script" }).innerText()).includes("/api/v1/webhooks/deployer");
  seen.shown = (await page.content()).includes(SECRET);

  await page.getByRole("link", { name: "Deliveries" }).click();
  await page.getByText("No delivery fits").waitFor();
  await page.locator(".state.live").waitFor();
  seen.query = new URL(page.url()).search;
  await deliver(url, "deployer", "team", SECRET, first);
  const row = (text) => page.getByRole("region", { name: "Deliveries" }).getByRole("listitem").filter({ hasText: text });
  await row("severity: 'odd' is not known").waitFor();
  await deliver(url, "deployer", "team", SECRET, { ok: "who knows" });
  await row("No rule matched").waitFor();
  await check("log");
  await page.getByRole("checkbox", { name: "Failed", exact: true }).check();
  await row("No rule matched").waitFor({ state: "detached" });
  seen.sockets = sockets.filter((socket) => !socket.isClosed()).length;
  seen.filtered = new URL(page.url()).search;

  await row("severity: 'odd' is not known").getByRole("link").click();
  await page.getByRole("heading", { name: "Failed", level: 1 }).waitFor();
  seen.item = (await page.getByRole("article").innerText()).replace(/\s+/g, " ");
  seen.body = JSON.parse(await page.getByRole("region", { name: "Body" }).innerText()).level;
  await check("delivery");
  await page.getByRole("link", { name: "Try it in the editor" }).click();
  await result.getByText("severity: 'odd' is not known").waitFor();

  // Somebody else saves first.
  await save(url, "deployer", 1, definition("critical").replace("Our", "Their"));
  await area("Definition (YAML)").fill(definition("minor"));
  // What was typed is still there after a look elsewhere.
  await page.getByRole("link", { name: "Webhooks", exact: true }).first().click();
  await page.getByText("New webhook").waitFor();
  await page.goBack();
  await page.getByText("not saved yet").waitFor();
  seen.draft = (await area("Definition (YAML)").inputValue()).includes("severity: minor");
  await result.getByText("would report an issue").waitFor();
  await button("Save").click();
  const conflict = page.getByRole("alert").filter({ hasText: "has saved version" });
  seen.conflict = await conflict.locator("strong").innerText();
  await conflict.getByText("The definition of that version").click();
  seen.theirs = (await conflict.getByRole("textbox").inputValue()).split("\n")[0];
  await check("conflict");
  await button("Save mine over theirs").click();
  await page.getByText("deployer is saved as version 3").waitFor();

  await page.goto(`${url}deliveries?webhook=deployer&outcome=failed`);
  await row("severity: 'odd' is not known").getByRole("link").click();
  await button("Do it again").click();
  await page.getByRole("heading", { name: "Handled", level: 1 }).waitFor();
  await page.getByRole("article").getByText("created an issue").waitFor();
  seen.again = (await page.getByRole("article").locator(".head").innerText()).replace(/\s+/g, " ");
  await page.getByRole("article").getByText("Fingerprint").click();
  seen.stage = await page.getByRole("article").locator("dt", { hasText: "stage" }).locator("+ dd").innerText();
  await page.getByRole("article").getByRole("link", { name: "Deployment failed: shop" }).click();
  await page.getByRole("heading", { level: 1, name: "Deployment failed: shop" }).waitFor();

  await page.getByRole("link", { name: "Webhooks", exact: true }).click();
  await page.getByText("50 % of the last 2 deliveries").waitFor();
  await check("webhooks");
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: "dark" });
  for (const path of ["webhooks", "webhooks/deployer", "webhooks?new=1&template=github", "deliveries"]) {
    await page.goto(url + path);
    await page.locator("h1").waitFor();
    await page.locator("[role=status]", { hasText: "Loading" }).waitFor({ state: "detached" });
    await check(`${path} narrow`);
  }

  await believing(page, [["READ", "*"]]);
  await page.goto(`${url}deliveries`);
  await page.getByText("You may not MANAGE any namespace").waitFor();
  await check("forbidden");
  seen.isHidden = (await page.getByRole("link", { name: "Webhooks" }).count()) === 0;
  await page.close();
  return seen;
}
