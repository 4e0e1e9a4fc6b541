import { library } from "@enginehouse/tsup-preset";

export default library({
  entry: {
    index: "src/index.ts",
    discovery: "src/discovery.ts",
    "json-schema": "src/json-schema.ts",
    cli: "src/discovery/cli.ts",
  },
  splitting: true,
});
