// Every screen and state of the page, for its pictures: where it is, what makes it so, and what it is there with.
import { believing } from "../dashboard/reporting.mjs";
import { cuttable } from "../dashboard/sockets.mjs";

const LIVE = ".state.live";
const button = (page, name) => page.getByRole("button", { name, exact: true }).first();
const answering = (status, code) => (page) =>
  page.route("**/graphql", (route) =>
    route.fulfill({ status, contentType: "application/json", body: JSON.stringify({ data: null, errors: [{ message: "", extensions: { code } }] }) }),
  );
const cut = (page) => page.route("**/graphql", (route) => route.abort());

/** Of a server with the demo's data, a webhook and its deliveries. */
export const full = ({ issue, cause, scope, delivery }) => [
  { name: "overview", path: "", ready: ".chart canvas" },
  { name: "list", path: "issues?q=is:active", ready: "article" },
  { name: "list-all", path: "issues", ready: "article" },
  { name: "list-grouped", path: `issues?q=is:active&group=scope&open=${scope}`, ready: "article" },
  {
    name: "list-selected",
    path: "issues?q=is:active",
    ready: "article",
    then: async (page) => {
      await page.getByRole("toolbar").getByRole("checkbox").click();
      await page.getByText("selected").first().waitFor({ state: "attached" });
    },
  },
  {
    name: "list-not-done",
    path: "issues?q=is:active",
    ready: "article",
    then: async (page) => {
      for (const key of ["j", "x", "j", "x"]) await page.keyboard.press(key);
      await cut(page);
      await page.keyboard.press("e");
      await page.getByRole("alert").first().waitFor();
    },
  },
  { name: "list-empty", path: "issues?q=nothing-has-this", ready: ".notice" },
  {
    name: "list-completion",
    path: "issues?q=is:active",
    ready: "article",
    then: async (page) => {
      await page.keyboard.press("/");
      await page.keyboard.type(" sev");
      await page.getByRole("option").first().waitFor();
    },
  },
  {
    name: "offline",
    path: "issues?q=is:active",
    ready: "article",
    before: async (page) => {
      page.sockets = await cuttable(page);
    },
    then: async (page) => {
      await page.locator(LIVE).waitFor();
      await page.sockets.cut();
      await page.locator(".state.offline").waitFor();
    },
  },
  { name: "unreachable", path: "issues", ready: ".notice", before: cut },
  { name: "signed-out", path: "issues", ready: ".notice", before: answering(401, "UNAUTHENTICATED") },
  { name: "failed", path: "", ready: ".notice", before: answering(500, "INTERNAL") },
  { name: "no-grants", path: "", ready: ".notice", before: (page) => believing(page, []) },
  { name: "no-manage", path: "webhooks", ready: ".notice", before: (page) => believing(page, [["READ", "*"]]) },
  { name: "issue", path: `issues/${issue}`, ready: "h1" },
  { name: "issue-missing", path: "issues/nothing", ready: ".notice" },
  {
    name: "issue-relate",
    path: `issues/${issue}`,
    ready: "h1",
    then: async (page) => {
      await button(page, "Relate…").click();
      await page.getByRole("radio").nth(3).waitFor();
    },
  },
  { name: "issue-delete", path: `issues/${issue}`, ready: "h1", then: (page) => button(page, "Delete…").click() },
  {
    name: "issue-not-done",
    path: `issues/${issue}`,
    ready: "h1",
    then: async (page) => {
      await cut(page);
      await button(page, "Resolve").click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "graph", path: `graph/${cause}`, ready: ".plane a" },
  { name: "graph-table", path: `graph/${cause}?table=1`, ready: "table" },
  { name: "webhooks", path: "webhooks", ready: "main h2" },
  { name: "webhook", path: `webhooks/deployer?delivery=${delivery}`, ready: "article" },
  { name: "webhook-delete", path: "webhooks/deployer", ready: "form", then: (page) => button(page, "Delete…").click() },
  { name: "webhook-missing", path: "webhooks/nobody", ready: ".notice" },
  { name: "editor-new", path: "webhooks?new=1&template=github", ready: ".area" },
  {
    name: "editor-problems",
    path: "webhooks/deployer",
    ready: ".area",
    then: async (page) => {
      await page.getByText("The definition can be used").waitFor();
      const area = page.getByRole("textbox", { name: "Definition (YAML)" });
      await area.fill((await area.inputValue()).replace("body.ok == false", "body.ok ==== 1"));
      await page.locator(".problems code").first().waitFor();
    },
  },
  { name: "deliveries", path: "deliveries", ready: "article" },
  { name: "deliveries-empty", path: "deliveries?webhook=github", ready: ".notice" },
  {
    name: "replay-asked",
    path: "deliveries?webhook=deployer",
    ready: "article",
    then: async (page) => {
      await button(page, "Do all that failed again…").click();
      await page.getByRole("heading", { name: /^Do \d+ deliver/ }).waitFor();
    },
  },
  {
    name: "replay-interrupted",
    path: "deliveries?webhook=deployer",
    ready: "article",
    then: async (page) => {
      await button(page, "Do all that failed again…").click();
      await page.getByRole("heading", { name: /^Do \d+ deliver/ }).waitFor();
      await cut(page);
      await button(page, "Do them again").click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "delivery", path: `deliveries/${delivery}`, ready: "article" },
  { name: "wall", path: "?wall=1", ready: "article" },
  {
    name: "help",
    path: "issues?q=is:active",
    ready: "article",
    then: async (page) => {
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "nowhere",
    path: "issues",
    ready: "article",
    then: (page) =>
      page.evaluate(() => {
        history.pushState(null, "", "/nowhere");
        dispatchEvent(new PopStateEvent("popstate"));
      }),
  },
];

/** Of a server without any data, that wants a token: first what is seen before signing in with it. */
export const empty = [
  { name: "sign-in", path: "sign-in", ready: "#token" },
  {
    name: "sign-in-refused",
    path: "sign-in",
    ready: "#token",
    then: async (page) => {
      await page.fill("#token", "nonsense");
      await page.click("button");
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "overview-empty", path: "", ready: ".chart", isSignedIn: true },
  { name: "list-nothing", path: "issues?q=is:active", ready: ".notice", isSignedIn: true },
  { name: "list-grouped-empty", path: "issues?q=is:active&group=scope", ready: ".notice", isSignedIn: true },
  { name: "webhooks-empty", path: "webhooks", ready: ".notice", isSignedIn: true },
  { name: "wall-empty", path: "?wall=1", ready: ".good", isSignedIn: true },
];
