import { defineConfig } from "tsup";

/** JS only: tsup 9 makes .d.ts through the old TypeScript JS API, which TypeScript 7 has not got. */
export const library = (options = {}) =>
  defineConfig({
    entry: ["src/index.ts"],
    format: ["esm"],
    platform: "node",
    target: "node22.18",
    dts: false,
    sourcemap: true,
    clean: true,
    splitting: false,
    // A second pass by Rollup took a property that is set later for the undefined in its literal, and left live code out.
    treeshake: false,
    // `node:sqlite` exists under this name alone.
    removeNodeProtocol: false,
    ...options,
  });
