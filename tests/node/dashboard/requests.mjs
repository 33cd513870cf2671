// Requests of the page that arrive late, or not at all.
import { readFileSync } from "node:fs";

const documents = new Map();
for (const place of ["api", "webhooks"]) {
  const path = `../../../web/dashboard/src/${place}/generated/persisted-documents.json`;
  for (const [id, text] of Object.entries(JSON.parse(readFileSync(new URL(path, import.meta.url))))) documents.set(id, text);
}

/** Gives the next request for the operation of this name to `handle`, and no other: the page asks by itself meanwhile. */
export async function onNext(page, name, handle) {
  const isMeant = new RegExp(`\\b(query|mutation) ${name}\\b`);
  let isOver = false;
  await page.route("**/graphql", (route) => {
    if (isOver || !isMeant.test(documents.get(route.request().postDataJSON().documentId))) return route.fallback();
    isOver = true;
    return handle(route);
  });
}

/** Cuts it. */
export const cutNext = (page, name) => onNext(page, name, (route) => route.abort());
