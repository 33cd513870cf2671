// Dark or light: as the system has it, or as somebody chose here.
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const KEY = "issuegraph.theme";

class ThemeState {
  chosen = $state<Theme>(kept());

  next(): void {
    this.choose(THEMES[(THEMES.indexOf(this.chosen) + 1) % THEMES.length] ?? "system");
  }

  choose(theme: Theme): void {
    this.chosen = theme;
    localStorage.setItem(KEY, theme);
    this.show();
  }

  show(): void {
    document.documentElement.dataset["theme"] = this.chosen;
  }
}

function kept(): Theme {
  const value = globalThis.localStorage?.getItem(KEY);
  return THEMES.find((theme) => theme === value) ?? "system";
}

export const theme = new ThemeState();
