// The graph around an issue: causes to the left, further on request, live, and as a table.
import { ask, report } from "./reporting.mjs";

const RELATE = `mutation ($input: RelateIssuesInput!) { relateIssues(input: $input) { position } }`;

export async function graph(context, url) {
  const seen = {};
  const page = await context.newPage();
  const make = (title) => report(url, { title, scope: { resourceType: "service", resourceName: title } });
  const relate = (source, target) => ask(url, RELATE, { input: { sourceId: source.id, targetId: target.id, kind: "CAUSED_BY" } });
  const [root, middle, leaf, late] = [await make("Root"), await make("Middle"), await make("Leaf"), await make("Late")];
  await relate(middle, root);
  await relate(leaf, middle);
  const plane = page.getByRole("region", { name: "Graph" });
  const node = (title) => plane.getByRole("link", { name: title });

  await page.goto(middle.url);
  await page.getByRole("link", { name: "Graph", exact: true }).click();
  await node("Leaf").waitFor();
  const left = async (title) => (await node(title).boundingBox()).x;
  seen.causesAreLeft = (await left("Root")) < (await left("Middle")) && (await left("Middle")) < (await left("Leaf"));

  await page.goto(`${url}graph/${root.id}?depth=1`);
  await node("Middle").waitFor();
  seen.near = await plane.getByRole("link").count();
  await page.getByRole("button", { name: "Show 1 more around Middle" }).click();
  await node("Leaf").waitFor();
  await relate(late, middle);
  await node("Late").waitFor();
  await page.getByLabel("Steps").press("ArrowRight");
  await page.getByRole("checkbox", { name: "caused by" }).uncheck();
  await node("Root").waitFor();
  seen.query = new URL(page.url()).searchParams.toString().replace(middle.id, "middle");
  await page.getByRole("checkbox", { name: "caused by" }).check();
  await page.getByRole("button", { name: "As a table" }).click();
  seen.row = (await page.getByRole("row", { name: /^Minor Leaf/ }).innerText()).replace(/\s+/g, " ").trim();

  // Too many for one screen: it begins at the issue that it is about.
  const many = await Promise.all(Array.from({ length: 45 }, (_, place) => make(`Effect ${place}`)));
  await Promise.all(many.map((effect) => relate(effect, late)));
  await page.goto(`${url}graph/${late.id}`);
  await node("Effect 44").waitFor();
  const [{ y }, whole] = [await node("Late").boundingBox(), await plane.boundingBox()];
  seen.beginsAtIt = y > whole.y && y < whole.y + whole.height;
  await page.close();
  return seen;
}
