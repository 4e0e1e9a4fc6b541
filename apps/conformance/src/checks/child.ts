import { spawn } from "node:child_process";

import type { Bench } from "../check.ts";
import type { SubjectManifest } from "../subject.ts";
import { fail } from "./reading.ts";

/** What a process of its own showed that imported the plugin, used it and closed it. */
export interface ChildRun {
  /** Handles that were there after `close()` and not before the import, each by Node's name for its kind. */
  readonly left: readonly string[];
  /** Milliseconds from the end of the work to the end of the process; `undefined`: it had to be killed. */
  readonly exitedAfterMs: number | undefined;
}

/** How long a process may live on that has nothing to do, in milliseconds. */
export const EXIT_LIMIT_MS = 2_000;
const WORK_LIMIT_MS = 15_000;

/**
 * Imports the plugin in a new process, asks for health and one answer, closes, and sees whether the process ends.
 * Checks of one run look at the same process, which takes its time.
 */
export function runInChild(bench: Bench): Promise<ChildRun> {
  const run = runs.get(bench.manifest) ?? work(bench);
  runs.set(bench.manifest, run);
  return run;
}

/** A manifest is read once for each run. */
const runs = new WeakMap<SubjectManifest, Promise<ChildRun>>();

async function work(bench: Bench): Promise<ChildRun> {
  const { subject, manifest, folder } = bench;
  const { backend, model } = await bench.start();
  const task = JSON.stringify({
    module: (subject.module ?? new URL(manifest.entry, folder)).href,
    settings: { ...backend.settings, ...subject.settings(backend) },
    model: manifest.operations.includes("chat") ? model : undefined,
  });
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env;
  const child = spawn(
    process.execPath,
    ["--conditions=@enginehouse/source", "--input-type=module", "--eval", SCRIPT, task],
    { env, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  let complaint = "";
  let closedAt: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill("SIGKILL"), ms);
  };
  limit(WORK_LIMIT_MS);
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (closedAt !== undefined || leftIn(said) === undefined) return;
    closedAt = performance.now();
    limit(EXIT_LIMIT_MS);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (_code, killedBy) => resolve(killedBy));
  });
  clearTimeout(timer);
  if (closedAt === undefined) {
    fail(
      `a process that imports the plugin, uses it and closes it did not get that far: ${heart(complaint)}`,
    );
  }
  return {
    left: JSON.parse(leftIn(said) ?? "[]") as readonly string[],
    exitedAfterMs: signal === null ? performance.now() - closedAt : undefined,
  };
}

/** The line that the script ends with. A plugin may print others: that is for another check to say. */
const leftIn = (said: string): string | undefined => /^left after close: (.*)\n/m.exec(said)?.[1];

/** Of what a dying process writes: the error with its first places, without the source line above and the rest below. */
function heart(complaint: string): string {
  const lines = complaint.trim().split("\n");
  const at = lines.findIndex((line) => /^(?:Uncaught )?\w*(?:Error|Exception)\b/.test(line));
  return (at < 0 ? lines.slice(-4) : lines.slice(at, at + 4)).join("\n");
}

/** What is there for a moment after a close, such as a socket that is being closed, gets that moment. */
const SCRIPT = `
const { module, settings, model } = JSON.parse(process.argv[1]);
// The pipes to the parent are opened by the first look at them.
await new Promise((resolve) => process.stdout.write(" ", resolve));
void process.stderr;
const before = process.getActiveResourcesInfo();
const { default: plugin } = await import(module);
const provider = plugin.create(settings);
await provider.health?.();
if (model !== undefined) {
  const messages = [{ role: "user", content: "Say something." }];
  for await (const _ of provider.stream({ model, messages }));
}
await provider.close();
let left = [];
for (let tries = 0; tries < 10; tries += 1) {
  const known = [...before];
  left = process.getActiveResourcesInfo().filter((kind) => {
    const at = known.indexOf(kind);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
  if (left.length === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
process.stdout.write("\\nleft after close: " + JSON.stringify(left) + "\\n");
`;
