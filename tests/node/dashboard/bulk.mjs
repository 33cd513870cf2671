// Many issues at once: selected by keys and boxes, acted on, told honestly what could not be done, and taken back.
import { seriousOn } from "./accessible.mjs";
import { ask, believing, report } from "./reporting.mjs";

const STATES = `query ($search: String!) { issues(search: $search) { nodes { title state acknowledgedAt related { totalCount } } } }`;
const DELETE = `mutation ($id: ID!) { deleteIssue(input: { id: $id }) { deletedId } }`;
const RELATE = `mutation ($input: RelateIssuesInput!) { relateIssues(input: $input) { position } }`;

export async function bulk(context, url) {
  const seen = {};
  const make = (number, namespace) =>
    report(url, { title: `Bulk ${number}`, namespace, scope: { resourceType: "service", resourceName: `bulk-${number}` } });
  const issues = [];
  for (const number of [1, 2, 3, 4]) issues.push(await make(number, "team"));
  const search = "bulk";
  const all = async () => (await ask(url, STATES, { search })).issues.nodes;
  const page = await context.newPage();
  const bar = page.getByRole("toolbar", { name: "With what is selected" });
  const row = (number) => page.locator("li", { has: page.locator("article", { hasText: `Bulk ${number}` }) });
  const selected = async (number) => bar.getByText(`${number} selected`).waitFor();
  const undo = (text) => page.locator(".toast", { hasText: text }).getByRole("button", { name: "Undo" }).click();

  await page.goto(`${url}issues?q=${search}`);
  await row(1).waitFor();
  await page.locator(".state.live").waitFor();
  for (const key of ["j", "x", "j", "j", "x"]) await page.keyboard.press(key);
  await selected(2);
  seen.selected = (await bar.getByRole("status").innerText()).trim();
  await page.keyboard.press("Escape");
  await row(4).getByRole("checkbox").click();
  await row(2).getByRole("checkbox").click({ modifiers: ["Shift"] });
  await selected(3);
  seen.serious = await seriousOn(page);

  // The mouse stays over the list, so that what is deleted stays in it, marked.
  await bar.getByRole("checkbox").click();
  await selected(4);
  await row(2).hover();
  await ask(url, DELETE, { id: issues[3].id });
  await page.locator("article.isGone").waitFor();
  await page.keyboard.press("e");
  const alert = bar.getByRole("alert");
  seen.failure = await alert.locator("strong").innerText();
  seen.why = (await alert.getByRole("listitem").innerText()).replace(/\s+/g, " ");
  seen.resolved = (await all()).filter(({ state }) => state === "RESOLVED").length;
  await undo("3 issues resolved");
  await page.getByText("Taken back for 3 issues").waitFor();
  seen.active = (await all()).filter(({ state }) => state === "ACTIVE").length;

  // One relation was there: it is not drawn again, and Undo leaves it.
  await ask(url, RELATE, { input: { sourceId: issues[1].id, targetId: issues[2].id } });
  await row(3).getByRole("checkbox").click();
  await row(1).getByRole("checkbox").click();
  await row(2).getByRole("checkbox").click();
  await selected(3);
  await bar.getByRole("button", { name: "Relate…" }).click();
  await page.getByRole("radio", { name: "the first selected: Bulk 3" }).waitFor();
  seen.serious.push(...(await seriousOn(page)));
  await page.getByLabel("Which issue").first().fill(`${url}issues/${issues[0].id}`);
  await page.getByRole("radio", { name: /^Bulk 1/ }).check();
  await page.getByRole("radio", { name: "the first selected: Bulk 3" }).check();
  await page.getByRole("button", { name: "Relate", exact: true }).click();
  await page.getByText("1 relation drawn · 1 was so before").waitFor();
  const related = async () => (await all()).find(({ title }) => title === "Bulk 3").related.totalCount;
  seen.related = await related();
  await undo("1 relation drawn");
  await page.getByText("Taken back for 1 issue").waitFor();
  seen.relatedAfterUndo = await related();

  await row(1).getByRole("checkbox").click();
  await row(2).getByRole("checkbox").click();
  await bar.getByRole("button", { name: "Acknowledge" }).click();
  await page.getByText("You are on 2 issues").waitFor();
  seen.nobodyIsOnIt = (await all()).filter(({ acknowledgedAt }) => !acknowledgedAt).length;

  // Where one may only read, nothing can be selected.
  await make(5, "elsewhere");
  await believing(page, [["READ", "*"], ["RESPOND", "team"]]);
  await page.reload();
  await row(5).waitFor();
  seen.mayBeSelected = (await page.getByRole("checkbox", { name: /^Select Bulk/ }).evaluateAll((boxes) => boxes.map(({ ariaLabel }) => ariaLabel))).sort();
  await page.close();
  return seen;
}
