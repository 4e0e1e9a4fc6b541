import { fork, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
};

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export interface Mock {
  readonly base: string;
  stop(): void;
}

export function startMock(dialect: "ndjson" | "sse"): Promise<Mock> {
  return new Promise((resolve, reject) => {
    const child = fork(path("./mock.ts"), [dialect], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    child.once("message", (port) => {
      resolve({ base: `http://127.0.0.1:${Number(port)}`, stop: () => child.disconnect() });
    });
    child.once("exit", (code) => reject(new Error(`the mock server ended with ${code}`)));
  });
}

/** Runs `script` in a fresh process and reads the line of JSON that it prints. */
export function inProcess<Result>(
  script: string,
  args: readonly string[],
  limitMs = 180_000,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--no-warnings", "--expose-gc", path(script), ...args]);
    let out = "";
    let errors = "";
    child.stdout.on("data", (text) => (out += String(text)));
    child.stderr.on("data", (text) => (errors += String(text)));
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.on("close", () => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(out.trim().split("\n").at(-1) ?? "") as Result);
      } catch {
        reject(new Error(`${script} ${args.join(" ")} printed no result: ${errors.slice(-600)}`));
      }
    });
  });
}

export interface Table {
  readonly title: string;
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const figure = (value: number, digits = 2): string =>
  Number.isFinite(value) ? value.toFixed(digits) : "–";

export function markdown({ title, note, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = line(columns.map((_, index) => (index === 0 ? "---" : "---:")));
  return [`### ${title}`, "", note, "", line(columns), rule, ...rows.map(line), ""].join("\n");
}
