// What was just done, with the way back, and what could not be done.
export interface Toast {
  id: number;
  kind: "done" | "failed";
  text: string;
  undo: (() => void) | undefined;
}

const SECONDS = { done: 8, failed: 20 };

class Toasts {
  list = $state.raw<Toast[]>([]);
  #last = 0;

  done(text: string, undo?: () => void): void {
    this.#add("done", text, undo);
  }

  failed(text: string): void {
    this.#add("failed", text);
  }

  drop(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  #add(kind: Toast["kind"], text: string, undo?: () => void): void {
    const id = ++this.#last;
    this.list = [...this.list.slice(-2), { id, kind, text, undo }];
    setTimeout(() => this.drop(id), SECONDS[kind] * 1_000);
  }
}

export const toasts = new Toasts();
