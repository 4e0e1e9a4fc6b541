import { spawn } from "node:child_process";
import process from "node:process";

import { COMMON_VARIABLES } from "./environment.ts";

/** What a process of its own saw while it imported a module, and did nothing else. */
export interface ChildImport {
  readonly effects: readonly string[];
  readonly ms: number;
  /** Why it could not be imported. */
  readonly failed?: string | undefined;
}

const LIMIT = 10_000;

/** Imports a module in a new process that watches sockets, files, children, environment, console and timers. */
export async function importInChild(entry: URL): Promise<ChildImport> {
  const seen = await run(entry, []);
  // Within a workspace a dependency may not be built yet; its sources do as well.
  const unbuilt = seen.failed?.includes("@enginehouse/") === true || seen.failed?.includes("/dist/") === true;
  return unbuilt ? run(entry, ["--conditions=@enginehouse/source"]) : seen;
}

async function run(entry: URL, flags: readonly string[]): Promise<ChildImport> {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...env } = process.env;
  const given = [...flags, "--input-type=module", "--eval", SCRIPT, entry.href, COMMON_VARIABLES.source];
  const child = spawn(process.execPath, given, { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let complaint = "";
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => resolve());
    });
  } finally {
    clearTimeout(limit);
  }
  const report = said.split(MARK)[1];
  if (report !== undefined) return JSON.parse(report) as ChildImport;
  const says = complaint.trim().split("\n").slice(0, 5).join(" ");
  return { effects: [`the process ended with: ${says}`], ms: 0, failed: says };
}

const MARK = "@@report@@";

/** Runs in the child: a text, so that it works wherever the kit itself is bundled to. */
const SCRIPT = `
import fs from "node:fs";
import net from "node:net";
import dgram from "node:dgram";
import dns from "node:dns";
import childProcess from "node:child_process";
import workers from "node:worker_threads";
import { syncBuiltinESMExports } from "node:module";
const [entry, common] = process.argv.slice(1);
const effects = new Set();
const watch = (object, name, says) => {
  const real = object[name];
  if (typeof real !== "function") return;
  object[name] = function (...given) {
    effects.add(says(given));
    return new.target ? Reflect.construct(real, given, new.target) : real.apply(this, given);
  };
};
const write = process.stdout.write.bind(process.stdout);
watch(net.Socket.prototype, "connect", () => "it opened a socket");
watch(net.Server.prototype, "listen", () => "it listened on a port");
watch(dgram, "createSocket", () => "it opened a socket");
watch(dns, "lookup", ([name]) => "it looked up the address of " + name);
watch(globalThis, "fetch", ([address]) => "it fetched " + address);
for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"])
  watch(childProcess, name, ([program]) => "it started a process, " + program);
watch(workers, "Worker", () => "it started a worker");
const writing = ["writeFile", "appendFile", "mkdir", "mkdtemp", "rm", "rmdir", "unlink", "rename", "copyFile", "symlink", "truncate"];
for (const name of writing)
  for (const [object, method] of [[fs, name], [fs, name + "Sync"], [fs.promises, name]])
    watch(object, method, ([path]) => "it wrote a file or folder, " + path + " (" + name + ")");
watch(fs, "createWriteStream", ([path]) => "it wrote a file, " + path);
for (const level of ["log", "info", "warn", "error", "debug", "trace"])
  watch(console, level, () => "it printed to the console");
watch(process.stdout, "write", () => "it printed to the console");
watch(process.stderr, "write", () => "it printed to the console");
syncBuiltinESMExports();
const usual = new RegExp(common, "i");
let copying = false;
process.env = new Proxy(process.env, {
  get: (target, name) => {
    if (typeof name === "string" && !copying && !usual.test(name)) effects.add("it read the environment variable " + name);
    return Reflect.get(target, name);
  },
  ownKeys: (target) => {
    copying = true;
    queueMicrotask(() => (copying = false));
    return Reflect.ownKeys(target);
  },
});
const listeners = () => process.eventNames().filter((name) => typeof name === "string").map((name) => name + " " + process.listenerCount(name)).join();
const globals = Object.getOwnPropertyNames(globalThis);
const heard = listeners();
const active = () => process.getActiveResourcesInfo().filter((kind) => !/^(?:FSReq|TTYWrap|PipeWrap|CloseReq|Immediate)/.test(kind));
const before = active().length;
const began = performance.now();
let failed;
try {
  await import(entry);
} catch (error) {
  failed = String(error?.message ?? error).split("\\n")[0];
}
const ms = performance.now() - began;
await new Promise((resolve) => setImmediate(resolve));
const left = active();
if (left.length > before) effects.add("it left behind: " + left.join(", "));
if (listeners() !== heard) effects.add("it listens to events of the process");
const added = Object.getOwnPropertyNames(globalThis).filter((name) => !globals.includes(name));
if (added.length > 0) effects.add("it added globals: " + added.join(", "));
if (failed !== undefined) effects.add("it cannot be imported: " + failed);
write("${MARK}" + JSON.stringify({ effects: [...effects], ms, failed }) + "${MARK}", () => process.exit(0));
`;
