// A webhook goes for good: after a question, not when somebody else has saved meanwhile, and told honestly when it stays.
import { seriousOn } from "./accessible.mjs";
import { definition, make, save } from "./deployer.mjs";
import { ask } from "./reporting.mjs";
import { cutNext } from "./requests.mjs";

export async function deleting(context, url) {
  const seen = {};
  const page = await context.newPage();
  const button = (name) => page.getByRole("button", { name, exact: true });
  const dialog = page.getByRole("dialog");
  const problem = dialog.getByRole("alert");
  const kept = async () => (await ask(url, "{ webhooks { nodes { name } } }")).webhooks.nodes.map(({ name }) => name);
  await make(url, "leaver");
  await make(url, "stayer");

  await page.goto(`${url}webhooks/leaver`);
  await page.getByRole("textbox", { name: "Definition (YAML)" }).fill("title: not saved");
  await button("Delete…").click();
  seen.asked = await dialog.getByRole("strong").innerText();
  seen.serious = await seriousOn(page);
  await button("Keep it").click();
  seen.keptAfterNo = await kept();

  await save(url, "leaver", 1, definition("critical"));
  await button("Delete…").click();
  await button("Delete for good").click();
  await problem.getByText("has saved version 2 meanwhile").waitFor();
  seen.keptAfterTheirs = await kept();
  seen.serious.push(...(await seriousOn(page)));

  await cutNext(page, "DeleteWebhook");
  await button("Delete for good").click();
  await problem.getByText("The server cannot be reached").waitFor();
  seen.keptAfterFailure = await kept();
  await button("Delete for good").click();
  await page.waitForURL("**/webhooks");
  await page.getByText("leaver is deleted").waitFor();
  await page.getByRole("link", { name: "Our deployer" }).waitFor();
  seen.kept = await kept();

  // Nothing is left of what was typed.
  await page.goBack();
  await page.getByText("There is no such webhook").waitFor();
  // Somebody else may delete, too.
  await page.goto(`${url}webhooks/stayer`);
  await button("Delete…").click();
  await ask(url, `mutation { deleteWebhook(input: {name: "stayer"}) { deletedName } }`);
  await button("Delete for good").click();
  await problem.getByText("There is no such webhook").waitFor();

  await page.close();
  return seen;
}
