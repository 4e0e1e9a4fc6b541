// Checks one package, as it would be published: not its folder but its tarball, for pnpm rewrites `workspace:` and
// `catalog:` in there. publint, "are the types wrong", and the ceilings of weight. Run in the package's folder.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { weigh } from "./weight.mjs";

const folder = mkdtempSync(join(tmpdir(), "pack-"));
try {
  run("pnpm", ["pack", "--pack-destination", folder], "ignore");
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("pnpm pack left no tarball");
  run("publint", ["run", join(folder, tarball), "--strict"]);
  run("attw", [join(folder, tarball), "--profile", "esm-only", "--no-emoji", "--format", "ascii"]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const problems = await weigh(process.cwd());
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

/** A tool that is missing throws as one that fails does. */
function run(command, args, stdout = "inherit") {
  execFileSync(command, args, {
    stdio: ["ignore", stdout, "inherit"],
    shell: process.platform === "win32",
  });
}
