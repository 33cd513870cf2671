// Text for the clipboard.
import { toasts } from "../state/toasts.svelte";
import { texts } from "../texts";

/** Copies a text, and says so; where the browser does not let us, shows it. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toasts.done(texts.actions.copied(what));
  } catch {
    toasts.failed(texts.actions.notCopied(text));
  }
}
