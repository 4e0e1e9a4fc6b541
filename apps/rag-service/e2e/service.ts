/** The service as a person starts it: a process of its own, over an empty data folder, with the engines that it finds. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { type Script, writeScriptedGguf } from "@enginehouse/llm-reference-model/scripted";

import { buildPage } from "./built-page.ts";

export interface RealService {
  readonly url: string;
  /** Sends a signal to the processes in which the engines run; the service itself is left alone. */
  signalEngine(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): number;
  /** For how long the engines have worked, in ms of a processor's time: what they do, whoever else is busy. */
  engineTime(): number;
  /** What it wrote to its error output. */
  readonly complaints: () => string;
  close(): Promise<void>;
}

const built = fileURLToPath(new URL("../dist/server.js", import.meta.url));
const source = fileURLToPath(new URL("../src/server.ts", import.meta.url));

/** CI tests what was built; at a desk the source is what is wanted. */
const program =
  process.env["CI"] !== undefined && existsSync(built)
    ? [built]
    : ["--conditions=@enginehouse/source", source];

/** With a script, a model of that name lies in the models folder and says what the script says. */
export async function startService(scripts: Readonly<Record<string, Script>> = {}): Promise<RealService> {
  await buildPage();
  const dataDir = await mkdtemp(join(tmpdir(), "enginehouse-e2e-"));
  await mkdir(join(dataDir, "models"));
  for (const [name, script] of Object.entries(scripts)) {
    // Some ballast, so that a word takes about as long as with a real model.
    const padding = { width: 768, layers: 1 };
    writeScriptedGguf(join(dataDir, "models", `${name}.gguf`), {
      name,
      script,
      contextWindow: 4096,
      padding,
    });
  }
  const child = spawn(process.execPath, program, {
    env: { ...process.env, PORT: "0", ENGINEHOUSE_DATA_DIR: dataDir, NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  const url = await readUrl(child, () => complaints);
  return {
    url,
    complaints: () => complaints,
    signalEngine(signal) {
      const engines = child.pid === undefined ? [] : childrenOf(child.pid);
      for (const pid of engines) process.kill(pid, signal);
      return engines.length;
    },
    engineTime() {
      const engines = child.pid === undefined ? [] : childrenOf(child.pid);
      return engines.reduce((sum, pid) => sum + processorTime(pid), 0);
    },
    async close() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
        await ended;
        clearTimeout(timer);
      }
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function readUrl(child: ChildProcess, complaints: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const url = /http:\/\/\S+/.exec(output)?.[0];
      if (url !== undefined) resolve(url);
    });
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${complaints()}`)));
  });
}

/** User's and system's time of a process, by Linux's clock of 100 ticks a second. */
function processorTime(pid: number): number {
  const fields = statOf(pid).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What Linux says of a process after its name, which may hold anything. */
function statOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2);
}

/** By Linux's process table; elsewhere there are none, and the tests that need them are skipped. */
function childrenOf(parent: number): readonly number[] {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return Number(statOf(pid).split(" ")[1]) === parent;
      } catch {
        return false; // It has ended since.
      }
    });
}
