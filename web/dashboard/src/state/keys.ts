// Keys that work wherever nobody is typing; screens add their own.
type Keys = Record<string, () => void>;

// A box that is ticked takes no letters.
const TYPED_INTO = "input:not([type=checkbox]), textarea, select, dialog, [contenteditable]";

const screens: Keys[] = [];

/** Whether a key press belongs to what has the focus, or to the browser. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target as HTMLElement | null;
  return target?.closest?.(TYPED_INTO) != null;
}

/** The keys of a screen while it is shown; the newest that knows a key has it. Returns how to end that. */
export function listenTo(keys: Keys): () => void {
  screens.push(keys);
  return () => screens.splice(screens.indexOf(keys), 1);
}

/** Does what the key is for; whether there was anything to do. */
export function press(event: KeyboardEvent): boolean {
  if (isTyping(event)) return false;
  const action = screens.findLast((keys) => event.key in keys)?.[event.key];
  if (!action) return false;
  event.preventDefault();
  action();
  return true;
}
