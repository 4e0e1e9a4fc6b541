import { library } from "@enginehouse/tsup-preset";

export default library({
  entry: {
    server: "src/server.ts",
    "store-worker": "src/store/worker.ts",
    "extract-worker": "src/extract/worker.ts",
  },
  clean: false,
  splitting: true,
});
