// Follows a list by the lines of a document: node following.mjs MODULE LIST WATCH WHERE. Prints a line of JSON for the
// list and for each event. Ends with its input.
import { pathToFileURL } from "node:url";

const [module, list, watch, where] = process.argv.slice(2);
const { follow } = await import(pathToFileURL(module));
const tell = (what) => console.log(JSON.stringify(what));
process.stdin.on("close", () => process.exit()).resume();
await follow(
  list,
  watch,
  JSON.parse(where),
  (nodes) => tell({ list: nodes.map(({ id }) => id) }),
  (match, { kind, issueId }) => tell([match, kind, issueId]),
);
