// Starts the Chromium that comes in a package, with playwright's own arguments: `const browser = await launch()`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** A browser that goes nowhere but to this machine. Close it with `close()`, which also removes its files. */
export async function launch() {
  // The package takes any `chromium` that lies in TMPDIR for its own, and unpacks the libraries it needs only
  // where it believes to be in this cloud; both are read when it is imported.
  const home = mkdtempSync(join(tmpdir(), "issuegraph-browser-"));
  process.env.TMPDIR = home;
  process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs22.x";
  try {
    const { default: packed } = await import("@sparticuz/chromium");
    const executablePath = await packed.executablePath();
    // The package's own list of font directories supposes that TMPDIR is /tmp; without fonts no text is drawn.
    const directories = `<dir>${join(home, "fonts")}</dir><cachedir>${join(home, "fonts-cache")}</cachedir>`;
    writeFileSync(join(home, "fonts", "fonts.conf"), `<fontconfig>${directories}</fontconfig>`);
    const browser = await chromium.launch({
      executablePath,
      // None of the package's arguments: one hangs, and one turns off the checks that our pages rely on.
      args: ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
      chromiumSandbox: false,
      env: {
        ...process.env,
        LD_LIBRARY_PATH: join(home, "al2023", "lib"),
        FONTCONFIG_PATH: join(home, "fonts"),
      },
    });
    browser.on("disconnected", () => rmSync(home, { recursive: true, force: true }));
    return browser;
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}
