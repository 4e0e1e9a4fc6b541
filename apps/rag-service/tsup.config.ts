import { library } from "@enginehouse/tsup-preset";

export default library({ entry: { server: "src/server.ts" }, clean: false, splitting: true });
