// The server is away, then another one, while nobody touches the page: it goes on by itself.
import { report } from "./reporting.mjs";

const UPGRADED = { data: null, errors: [{ message: "", extensions: { code: "PERSISTED_QUERY_NOT_FOUND" } }] };

export async function away(context, url) {
  const seen = {};
  const page = await context.newPage();
  await page.clock.install();
  const cannotBeReached = page.getByRole("heading", { name: "The server cannot be reached" });

  await page.route("**/graphql", (route) => route.abort());
  await page.goto(`${url}issues?q=is:active`);
  await cannotBeReached.waitFor();
  await page.unroute("**/graphql");
  await page.clock.fastForward(10_000);
  await page.getByText("Nothing is broken").waitFor();

  const scope = (number) => ({ resourceType: "component", resourceName: `c-${number}` });
  await Promise.all(Array.from({ length: 60 }, (_, number) => report(url, { title: `Issue ${number}`, scope: scope(number) })));
  const nextPage = (route) => (route.request().postDataJSON().variables?.after ? route.abort() : route.continue());
  await page.route("**/graphql", nextPage);
  const failed = page.waitForEvent("requestfailed");
  await page.reload();
  await failed;
  await page.locator("li[aria-setsize='-1']").first().waitFor();
  await page.unroute("**/graphql");
  await page.clock.fastForward(5_000);
  await page.locator("li[aria-setsize='60']").first().waitFor();

  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await page.getByRole("heading", { name: "Over time" }).waitFor();
  const again = page.waitForRequest("**/graphql");
  await page.clock.fastForward(300_000);
  await page.clock.fastForward(15_000);
  await again;

  await page.route("**/assets/WebhooksScreen*", (route) => route.abort());
  await page.getByRole("link", { name: "Webhooks" }).click();
  await cannotBeReached.waitFor();
  await page.unroute("**/assets/WebhooksScreen*");
  await page.clock.fastForward(10_000);
  await page.getByRole("heading", { name: "Webhooks", level: 1 }).waitFor();

  let asked = 0;
  await page.route("**/graphql", (route) => {
    asked += 1;
    return route.fulfill({ json: UPGRADED });
  });
  await page.clock.fastForward(60_000);
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  // The page that is loaded anew asks too, is answered the same, and stays.
  await page.getByRole("heading", { name: "That did not work" }).waitFor();
  seen.asked = asked;
  await page.close();
  return seen;
}
