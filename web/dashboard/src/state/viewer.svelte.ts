// Who looks at the page, and what they may do where.
import type { Permission, ViewerQuery } from "../api/generated/graphql";

type Known = NonNullable<ViewerQuery["viewer"]>;

class ViewerState {
  known = $state.raw<Known | null>(null);

  /** Who it is, as the log names them. */
  get actor() {
    return this.known?.actor ?? { kind: "PERSON" as const, id: "", name: "" };
  }

  /** Whether they hold the permission in a namespace. */
  may(permission: Permission, namespace: string): boolean {
    return (this.known?.grants ?? []).some(
      (grant) => grant.permission === permission && fits(grant.namespace, namespace),
    );
  }

  /** Whether they hold the permission anywhere. */
  mayAnywhere(permission: Permission): boolean {
    return (this.known?.grants ?? []).some((grant) => grant.permission === permission);
  }
}

/** Whether a name, a pattern such as team-*, or * covers a namespace. */
export function fits(pattern: string, namespace: string): boolean {
  if (!pattern.endsWith("*")) return pattern === namespace;
  return namespace.startsWith(pattern.slice(0, -1));
}

export const viewer = new ViewerState();
