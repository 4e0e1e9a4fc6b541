/** The service as a process of its own, with a real engine under it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const plugin = fileURLToPath(
  new URL("../../../packages/llm-provider-llamacpp/dist/index.js", import.meta.url),
);

/** Discovery takes plugins as they are published: built. */
export const unbuilt = existsSync(plugin) ? undefined : `${plugin} is not there; run pnpm build`;
/** Children and processor times are read from there. */
export const withoutProc = existsSync("/proc/self/stat") ? undefined : "this system has no /proc";

export interface RunningProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly output: () => string;
  readonly exited: Promise<number | string>;
}

export async function startProcess(env: Record<string, string>): Promise<RunningProcess> {
  const child = spawn(process.execPath, ["--conditions=@enginehouse/source", "src/server.ts"], {
    cwd: root,
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | string);
  const url = await new Promise<string>((resolve, reject) => {
    const take = (piece: Buffer) => {
      output += piece.toString();
      const found = /http:\/\/\S+/.exec(output);
      if (found !== null) resolve(found[0]);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    void exited.then((code) => reject(new Error(`the service ended with ${code}: ${output}`)));
  });
  return { child, url, output: () => output, exited };
}

/** The processes that this one started. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
}

/** Whether there is such a process; a dead one that nobody has asked after counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Processor time that a process has used, in milliseconds. */
export function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
