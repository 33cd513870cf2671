// Values of webhooks and deliveries as short text.

/** A share from 0 to 1 in percent: what is not nothing is not 0 %, and what is not all is not 100 %. */
export function shareText(share: number): string {
  const percent = Math.round(share * 100);
  if (percent === 0 && share > 0) return "<1 %";
  if (percent === 100 && share < 1) return ">99 %";
  return `${percent} %`;
}

/** A body for reading: JSON in lines, anything else as it is. */
export function readable(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** A value of an expression in one line. */
export function inLine(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** What was typed as a list with commas between. */
export function listIn(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** What was typed as a payload: JSON where it begins like some, else text. Raises SyntaxError. */
export function payloadIn(text: string): unknown {
  const trimmed = text.trim();
  return /^[[{"]/.test(trimmed) ? JSON.parse(trimmed) : text;
}

/** Names with values, of an object whatever it holds. */
export function pairsIn(value: unknown): [string, string][] {
  return Object.entries((value ?? {}) as Record<string, unknown>).map(([name, each]) => [name, inLine(each)]);
}
