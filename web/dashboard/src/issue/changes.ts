// The log's changes for people.
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** A value of a change as short text; null where there was none. */
export function valueText(value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (typeof value === "string") return TIME.test(value) ? new Date(value).toLocaleString() : value;
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map((each) => valueText(each) ?? "").join(", ") || null;
  const { name, value: own, title, url } = value as Record<string, unknown>;
  if (name !== undefined && own !== undefined) return `${String(name)}=${String(own)}`;
  return String(name ?? title ?? url ?? JSON.stringify(value));
}

/** A field's name as words: `occurrenceCount` is `occurrence count`. */
export function fieldText(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
