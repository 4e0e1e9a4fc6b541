import { library } from "@enginehouse/tsup-preset";

// The child process has an entry of its own. Splitting keeps what is imported at first use out of `index.js`.
export default library({
  entry: { index: "src/index.ts", "child-main": "src/engine/child-main.ts" },
  splitting: true,
});
