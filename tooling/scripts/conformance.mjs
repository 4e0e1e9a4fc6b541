// Runs the conformance kit over every provider that has a subject, and writes the reports that their manifests link.
// Needs the build: a plugin is checked as it is published. Names of packages choose some of them.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = join(root, "apps", "conformance", "src", "cli.ts");
const reports = ["--json", "conformance.json", "--markdown", "conformance.md", "--seed", "1"];

const wanted = process.argv.slice(2);
const folders = readdirSync(join(root, "packages"))
  .filter((name) => wanted.length === 0 || wanted.includes(name))
  .map((name) => join(root, "packages", name))
  .filter((folder) => existsSync(join(folder, "conformance.subject.ts")));
if (folders.length === 0) throw new Error(`no package ${wanted.join(" or ")} has a conformance.subject.ts`);

for (const cwd of folders) {
  const args = ["--conditions=@enginehouse/source", program, "run", ...reports];
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
// The formatter has its own mind about tables in Markdown and short lists in JSON.
const written = folders.flatMap((folder) => [
  join(folder, "conformance.json"),
  join(folder, "conformance.md"),
]);
spawnSync("pnpm", ["exec", "oxfmt", ...written.filter((file) => existsSync(file))], {
  cwd: root,
  stdio: "inherit",
  shell: process.platform === "win32",
});
