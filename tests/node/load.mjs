// Loads the page of `argv[2]` in a real browser as the part of `argv[3]` does, with the options of `argv[4]` (JSON), and
// prints what was measured as a line of JSON.
import { launch } from "./browser.mjs";
import { first } from "./load/first.mjs";
import { scroll } from "./load/scroll.mjs";
import { soak } from "./load/soak.mjs";

const [url, name, options] = process.argv.slice(2);
const browser = await launch();
const problems = [];
const newContext = async () => {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(60_000);
  context.on("weberror", (error) => problems.push(error.error().message));
  return context;
};
const found = await { first, scroll, soak }[name]({ browser, newContext }, url, JSON.parse(options));
await browser.close();
console.log(JSON.stringify({ ...found, problems }));
