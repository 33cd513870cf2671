import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const OUT = "../static/dashboard";
const ROOMS = ["api", "webhooks"];

/** The server loads the documents that the page asks for by their ids. */
const documents: Plugin = {
  name: "documents",
  writeBundle: () => {
    const found = ROOMS.map((room) => JSON.parse(readFileSync(`src/${room}/generated/persisted-documents.json`, "utf8")) as object);
    writeFileSync(`${OUT}/documents.json`, JSON.stringify(Object.assign({}, ...found)));
  },
};

/** The server hands out files; it does not compress any. */
const packed: Plugin = {
  name: "packed",
  writeBundle: () => {
    for (const name of readdirSync(`${OUT}/assets`)) {
      const path = `${OUT}/assets/${name}`;
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
    }
  },
};

export default defineConfig({
  base: "/static/dashboard/",
  plugins: [svelte(), documents, packed],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2023",
    // The policy of the page allows no inline scripts and no data: URLs in styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/graphql": { target: "http://127.0.0.1:8080", ws: true } } },
  test: { include: ["src/**/*.test.ts"], environment: "node", isolate: false },
});
