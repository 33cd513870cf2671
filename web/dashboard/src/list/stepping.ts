// From row to row by keys: the focus is what is chosen, so the browser scrolls to it and reads it out.
import { acknowledge, reopen, resolve, unacknowledge } from "../issue/actions";
import type { RowFragment } from "../api/generated/graphql";
import { viewer } from "../state/viewer.svelte";

/** Moves the focus to the next row (1) or the one before (-1); to the first where none has it. */
function step(list: HTMLElement, by: 1 | -1): void {
  const titles = [...list.querySelectorAll<HTMLElement>("article .title")];
  titles.sort((one, other) => placeOf(one) - placeOf(other));
  const at = titles.findIndex((title) => title.closest("li")?.contains(document.activeElement));
  titles[at < 0 ? 0 : at + by]?.focus();
}

function placeOf(title: HTMLElement): number {
  return title.getBoundingClientRect().top;
}

/** The keys of a list: j and k go on and back, x selects the row that has the focus, e and a act on it. */
export function keysOf(list: () => HTMLElement, rows: () => ReadonlyMap<string, RowFragment>, select: (id: string) => void) {
  const act = (action: (row: RowFragment) => void) => () => {
    const id = document.activeElement?.closest("li")?.querySelector("article")?.dataset["id"] ?? "";
    const row = rows().get(id);
    if (row && viewer.may("RESPOND", row.namespace)) action(row);
  };
  return {
    j: () => step(list(), 1),
    k: () => step(list(), -1),
    x: act(({ id }) => select(id)),
    e: act((row) => void (row.state === "ACTIVE" ? resolve([row.id]) : reopen(row.id))),
    a: act((row) => void (row.acknowledgedAt ? unacknowledge(row.id) : acknowledge([row.id]))),
  };
}
