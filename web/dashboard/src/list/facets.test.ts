import { describe, expect, it } from "vitest";
import { scopesIn } from "./facets";

const counted = (resourceType: string, resourceName: string, count: number) => ({ scope: { resourceType, resourceName }, count });

describe("scopes with counts", () => {
  it("are one where a search finds both, and bear their type where the name is not enough", () => {
    const scopes = [counted("service", "api", 3), counted("component", "shop", 2), counted("component", "api", 2), counted("component", "shop", 2)];
    expect(scopesIn(scopes)).toEqual([
      { value: "component/shop", label: "shop", count: 4 },
      { value: "service/api", label: "service/api", count: 3 },
      { value: "component/api", label: "component/api", count: 2 },
    ]);
  });
});
