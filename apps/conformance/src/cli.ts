#!/usr/bin/env node
import { url as inspectorUrl } from "node:inspector";
import process from "node:process";

import { main } from "./cli/main.ts";

const { stdout, stderr, env } = process;
process.exitCode = await main(process.argv.slice(2), {
  stdout,
  stderr,
  env,
  folder: process.cwd(),
  // Whoever looks at it with a debugger stops it for as long as they please.
  blockedAfterMs: inspectorUrl() === undefined ? 30_000 : undefined,
});

// Whatever a provider may have left behind, and the report has told, does not keep this program.
setTimeout(() => process.exit(), 2_000).unref();
