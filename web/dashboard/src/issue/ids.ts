// Issues that somebody names by what they copied.
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?=$|[/?#])/;

/** The id in a text that is an id or an issue's address; "" where there is none. */
export function idIn(text: string): string {
  return ID.exec(text.trim().toLowerCase())?.[0] ?? "";
}
