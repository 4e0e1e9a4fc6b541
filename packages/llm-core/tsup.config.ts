import { library } from "@enginehouse/tsup-preset";

export default library({ entry: {"index":"src/index.ts","discovery":"src/discovery.ts"} , splitting: true });
