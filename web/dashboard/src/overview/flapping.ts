// What keeps breaking and healing: the same fingerprint, three turns or more within a day.
import type { TurnFragment } from "../api/generated/graphql";

const LEAST_TURNS = 3;

export interface Flapping {
  id: string;
  title: string;
  severity: NonNullable<TurnFragment["issue"]>["severity"];
  turns: number;
}

/** The fingerprints that turned between active and resolved three times or more, the most first. */
export function flappingIn(turns: readonly TurnFragment[]): Flapping[] {
  const byKey = new Map<string, { newest: TurnFragment; turns: number }>();
  for (const turn of turns) {
    // A first report is no turn, unless the same was resolved before.
    if (!turn.issue || (turn.kind === "CREATED" && !turn.issue.previous)) continue;
    const known = byKey.get(turn.issue.fingerprint.key);
    const newest = known && known.newest.at > turn.at ? known.newest : turn;
    byKey.set(turn.issue.fingerprint.key, { newest, turns: (known?.turns ?? 0) + 1 });
  }
  return [...byKey.values()]
    .filter((each) => each.turns >= LEAST_TURNS)
    .sort((one, other) => other.turns - one.turns)
    .flatMap(({ newest: { issue }, turns }) =>
      issue ? [{ id: issue.id, title: issue.title, severity: issue.severity, turns }] : [],
    );
}
