import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

export default defineConfig({
  root: "web",
  plugins: [react(), withoutGap()],
  // Not emptied before: a service that serves the page while it is built anew serves the old one until the new is there.
  build: { outDir: "../dist/public", emptyOutDir: false },
});

/** Takes away what an earlier build left, once this one is complete. */
function withoutGap(): Plugin {
  return {
    name: "without-gap",
    async writeBundle({ dir }, bundle) {
      if (dir === undefined) return;
      const assets = await readdir(join(dir, "assets"));
      const old = assets.filter((name) => bundle[`assets/${name}`] === undefined);
      await Promise.all(old.map((name) => rm(join(dir, "assets", name))));
    },
  };
}
