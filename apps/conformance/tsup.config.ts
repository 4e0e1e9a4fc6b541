import { library } from "@enginehouse/tsup-preset";

export default library({
  entry: ["src/index.ts", "src/vitest.ts", "src/node-test.ts", "src/fakes/index.ts", "src/cli.ts"],
  splitting: true,
});
