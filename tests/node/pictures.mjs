// Takes the pictures of the documentation of the page of `argv[2]`, which has the demo's data, into `argv[3]`.
import { join } from "node:path";
import { launch } from "./browser.mjs";
import { ask } from "./dashboard/reporting.mjs";

const [url, directory] = process.argv.slice(2);
const browser = await launch();
const { issues } = await ask(url, `{ issues(search: "scope:service/registry") { nodes { id } } }`);

async function take(name, path, colorScheme, ready) {
  const page = await browser.newPage({ locale: "en-US", colorScheme, viewport: { width: 1280, height: 800 } });
  await page.goto(new URL(path, url).href);
  await page.locator(".state.live").waitFor();
  await page.locator(ready).first().waitFor();
  await page.screenshot({ path: join(directory, `${name}.png`), animations: "disabled" });
  await page.close();
}

await take("overview", "/", "light", ".chart canvas");
await take("graph", `/graph/${issues.nodes[0].id}`, "dark", ".plane a");
await browser.close();
