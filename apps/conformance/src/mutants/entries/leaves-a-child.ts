import { spawn } from "node:child_process";
import process from "node:process";

import { leftAfterClose } from "../left-after-close.ts";

export default leftAfterClose(() => {
  spawn(process.execPath, ["--eval", "setTimeout(() => undefined, 4000)"], { stdio: "ignore" });
});
