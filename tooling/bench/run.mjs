// pnpm bench [stream] [cold] [slow] [stop] [size] [engine] [--rounds N] [--write]
// Ratios inside one run, never wall times of one machine. With --write the tables go to docs/benchmarks.md.
import { spawnSync } from "node:child_process";

const built = spawnSync(
  "pnpm",
  ["exec", "turbo", "run", "build", "--filter=@enginehouse/bench^...", "--output-logs=errors-only"],
  { stdio: "inherit", shell: process.platform === "win32" },
);
if (built.status !== 0) process.exit(built.status ?? 1);
const { main } = await import("./main.ts");
await main(process.argv.slice(2));
