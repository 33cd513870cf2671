// Where the page is: the path and the query of the URL are the only memory of what is shown.
import { tick } from "svelte";

export type Screen = "overview" | "issues" | "issue" | "graph" | "webhooks" | "webhook" | "deliveries" | "delivery" | "nowhere";

export interface Place {
  screen: Screen;
  id: string;
}

/** Which screen a path is, and of which issue, webhook or delivery. */
export function placeOf(path: string): Place {
  if (path === "/") return { screen: "overview", id: "" };
  const [, room, id, ...rest] = path.replace(/\/$/, "").split("/");
  if (rest.length > 0) return { screen: "nowhere", id: "" };
  if (room === "issues") return { screen: id ? "issue" : "issues", id: id ?? "" };
  if (room === "webhooks") return { screen: id ? "webhook" : "webhooks", id: id ?? "" };
  if (room === "deliveries") return { screen: id ? "delivery" : "deliveries", id: id ?? "" };
  if (room === "graph" && id) return { screen: "graph", id };
  return { screen: "nowhere", id: "" };
}

class Route {
  #url = $state.raw(new URL(globalThis.location?.href ?? "http://localhost/"));

  constructor() {
    globalThis.addEventListener?.("popstate", () => this.#read());
  }

  get place(): Place {
    return placeOf(this.#url.pathname);
  }

  /** A value of the query; "" without one. */
  get(name: string): string {
    return this.#url.searchParams.get(name) ?? "";
  }

  has(name: string): boolean {
    return this.#url.searchParams.has(name);
  }

  /** Path and query, for links back here. */
  get here(): string {
    return this.#url.pathname + this.#url.search;
  }

  /** Where to sign in, and to come back here. */
  get signIn(): string {
    return `/sign-in?${new URLSearchParams({ next: this.here })}`;
  }

  /** Goes to a path of the page; the focus moves to what is new there. */
  go(to: string, { replace = false } = {}): void {
    const path = this.#url.pathname;
    if (to === this.here) return;
    history[replace ? "replaceState" : "pushState"](null, "", to);
    this.#read();
    if (path !== this.#url.pathname) void tick().then(() => document.querySelector<HTMLElement>("main")?.focus());
  }

  /** Changes values of the query; "" takes one away. */
  set(values: Record<string, string>, { replace = true } = {}): void {
    const url = new URL(this.#url);
    for (const [name, value] of Object.entries(values)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    this.go(url.pathname + url.search, { replace });
  }

  #read(): void {
    this.#url = new URL(location.href);
  }
}

export const route = new Route();

/** The list, with a search. */
export function listUrl(search: string): string {
  return search ? `/issues?${new URLSearchParams({ q: search })}` : "/issues";
}

/** Lets clicks on our own links change the page without loading it anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element).closest<HTMLAnchorElement>("a[href]");
  if (!link || link.target || link.origin !== location.origin) return;
  if (placeOf(link.pathname).screen === "nowhere") return;
  event.preventDefault();
  route.go(link.pathname + link.search);
}
