// Takes pictures of the page: of every screen of the server `argv[2]`, which has the demo's data, and of `argv[3]`, which has
// none and lets the token `argv[4]` in, into the directory `argv[6]`; those of the documentation into `argv[5]`.
// What follows are the names of the only ones that are wanted.
import { join } from "node:path";
import { launch } from "./browser.mjs";
import { definition, make, save, SECRET } from "./dashboard/deployer.mjs";
import { ask, deliver } from "./dashboard/reporting.mjs";
import { empty, full } from "./pictures/screens.mjs";

const [fullUrl, emptyUrl, token, documentation, all, ...wanted] = process.argv.slice(2);
// Rows and counts that come after the screen.
const SETTLING_MS = 200;
const SIZES = [[360, 740], [1280, 800], [3840, 2160]];
const FIND = `query ($search: String!) { issues(search: $search) { nodes { id scope { id } } } }`;

const find = async (search) => (await ask(fullUrl, FIND, { search })).issues.nodes[0];

async function prepare() {
  await make(fullUrl, "deployer");
  await make(fullUrl, "release-notes", "minor");
  const send = (name, body) => deliver(fullUrl, name, "team", SECRET, { kind: "deploy", stage: "prod", ...body });
  for (const [place, app] of ["shop", "checkout", "ledger", "search", "mobile-application-with-a-long-name"].entries())
    await send("deployer", { ok: false, app, level: place % 2 ? "odd" : "major", why: "the health check answers 502" });
  await send("deployer", { ok: "who knows" });
  await save(fullUrl, "deployer", 1, definition("${body.level}").replace("it failed", "it has failed"));
  for (const app of ["shop", "ledger"]) await send("deployer", { ok: false, app, level: "minor" });
  const { deliveries } = await ask(fullUrl, `{ deliveries(where: {outcome: [FAILED]}) { nodes { id } } }`);
  const issue = await find("scope:component/payment-api is:active type:build");
  return { issue: issue.id, cause, scope: issue.scope.id, delivery: deliveries.nodes[0].id };
}

async function signIn(context) {
  const page = await context.newPage();
  await page.goto(`${emptyUrl}sign-in`);
  await page.fill("#token", token);
  await page.click("button");
  await page.locator(".who").waitFor({ state: "attached" });
  await page.close();
}

/** A second try, where the machine was too busy for the first. */
async function take(context, url, screen, file) {
  try {
    await taken(context, url, screen, file).catch(() => taken(context, url, screen, file));
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
}

async function taken(context, url, { path, ready, before, then }, file) {
  const page = await context.newPage();
  await before?.(page);
  await page.goto(url + path);
  await page.locator(ready).first().waitFor();
  await page.locator("[role=status]", { hasText: "Loading" }).waitFor({ state: "detached" });
  await page.waitForTimeout(SETTLING_MS);
  await then?.(page);
  await page.screenshot({ path: file, animations: "disabled" });
  await page.close();
}

const browser = await launch();
const opened = (colorScheme, [width, height]) => browser.newContext({ locale: "en-US", colorScheme, viewport: { width, height } });
const { id: cause } = await find("scope:service/registry");
for (const [name, path, colorScheme, ready] of [["overview", "", "light", ".chart canvas"], ["graph", `graph/${cause}`, "dark", ".plane a"]]) {
  const context = await opened(colorScheme, [1280, 800]);
  await take(context, fullUrl, { path, ready, then: (page) => page.locator(".state.live").waitFor() }, join(documentation, `${name}.png`));
  await context.close();
}
const known = await prepare();
const screens = [...full(known).map((each) => [fullUrl, each]), ...empty.map((each) => [emptyUrl, each])];

async function takeAll(size, colorScheme) {
  const context = await opened(colorScheme, size);
  let isSignedIn = false;
  for (const [url, screen] of screens) {
    if (wanted.length > 0 && !wanted.includes(screen.name)) continue;
    if (screen.isSignedIn && !isSignedIn) await signIn(context);
    isSignedIn ||= screen.isSignedIn;
    await take(context, url, screen, join(all, `${screen.name}-${size[0]}-${colorScheme}.png`));
  }
  await context.close();
}
for (const size of SIZES) for (const colorScheme of ["light", "dark"]) await takeAll(size, colorScheme);
await browser.close();
