import { library } from "@enginehouse/tsup-preset";

export default library({
  // The child process has an entry of its own. Splitting keeps what is imported at first use out of `index.js`.
  entry: { index: "src/index.ts", "child-main": "src/engine/child-main.ts" },
  splitting: true,
  // Rollup's pass took a property that is set later for the `undefined` of its object literal, and left out the code
  // that depends on it.
  treeshake: false,
});
