// How `check.mjs` runs one step, and what it says when all are over. A CI may keep only the end of what was printed:
// what a failed step said last is said there again.
import { spawn } from "node:child_process";
import process from "node:process";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a command; whether it ended well, and its last lines. What it says goes on to `sink`, or, where there is none,
 * straight to where this program's own words go. A signal to stop goes on to it, and to no further one.
 * @param {readonly string[]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, sink?: { write(text: string): unknown }, keep?: number }} [options]
 * @returns {Promise<{ ok: boolean, tail: string[] }>}
 */
export function runStep([program = "", ...args], { cwd, env, sink, keep = 20 } = {}) {
  const child = spawn(program, args, {
    cwd,
    env,
    stdio: sink === undefined ? "inherit" : ["inherit", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
  const lines = [];
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) hear(stream, sink, lines, keep);
  const stop = (signal) => {
    child.kill(signal);
    process.exitCode = 1;
    child.once("exit", () => process.exit());
  };
  for (const signal of signals) process.once(signal, stop);
  return new Promise((resolve) => {
    const over = (ok, ...more) => {
      for (const signal of signals) process.off(signal, stop);
      resolve({ ok, tail: [...lines, ...more].slice(-keep) });
    };
    child.once("error", (error) => {
      const problem = `could not run ${program}: ${error.message}`;
      console.error(`[check] ${problem}`);
      over(false, problem);
    });
    child.once("close", (code) => over(code === 0));
    // A program that was left behind may hold the streams open for ever.
    child.once("exit", (code) => setTimeout(() => over(code === 0), 2_000).unref());
  });
}

/** Hands on what comes, and keeps its last lines. */
function hear(stream, sink, lines, keep) {
  let begun = "";
  const take = (line) => {
    if (line.trim() !== "") lines.push(line);
    if (lines.length > keep) lines.shift();
  };
  stream.setEncoding("utf8");
  stream.on("data", (data) => {
    sink.write(data);
    const whole = (begun + data).split("\n");
    begun = whole.pop() ?? "";
    whole.forEach(take);
  });
  stream.on("end", () => take(begun));
}

/**
 * @param {readonly { name: string, advice?: string, needs?: string }[]} steps
 * @param {Record<string, string>} outcomes
 * @param {Record<string, readonly string[]>} tails of those that failed
 */
export function closingText(steps, outcomes, tails) {
  const failed = steps.filter(({ name }) => outcomes[name] === "failed");
  const said = failed.flatMap(({ name }) => {
    const tail = tails[name] ?? [];
    return tail.length === 0
      ? []
      : [`[check] the last lines of ${name}:`, ...tail.map((line) => `  ${line}`)];
  });
  const verdicts = steps.flatMap(({ name, advice, needs }) => {
    const help = advice === undefined ? "" : `; \`${advice}\` may help`;
    if (outcomes[name] === "failed") return [`[check] ${name} failed${help}`];
    return outcomes[name] === "not run" ? [`[check] ${name} not run: it needs ${needs}`] : [];
  });
  if (verdicts.length === 0) return `[check] all ${steps.length} steps passed`;
  return [...said, ...verdicts].join("\n");
}
