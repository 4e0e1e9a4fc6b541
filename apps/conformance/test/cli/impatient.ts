// The program with little patience: what stands still for half a second is ended.
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";

import { main } from "../../src/cli/main.ts";
import { asks, check } from "../run/small.ts";

const { stdout, stderr, env } = process;
const checks = [check("S01", asks), check("S02", async () => pause(1_500))];
process.exitCode = await main(process.argv.slice(2), {
  stdout,
  stderr,
  env,
  folder: process.cwd(),
  checks,
  blockedAfterMs: 500,
});
