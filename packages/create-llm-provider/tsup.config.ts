import { library } from "@enginehouse/tsup-preset";

export default library({ entry: ["src/index.ts", "src/cli.ts"] });
