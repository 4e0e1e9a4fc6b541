import { library } from "@enginehouse/tsup-preset";

export default library({ entry: { index: "src/index.ts", scripted: "src/scripted.ts" }, splitting: true });
