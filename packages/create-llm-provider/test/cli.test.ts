import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url));

/** What is written to stderr, and how the command ends. Its standard input is no terminal. */
async function refusal(...args: readonly string[]): Promise<string> {
  const ended = promisify(execFile)(process.execPath, ["--conditions=@enginehouse/source", CLI, ...args]);
  const { code, stderr } = (await ended.catch((error: unknown) => error)) as {
    code?: number;
    stderr: string;
  };
  return `${code}: ${stderr}`;
}

it.each([
  [[], /^1: the name is missing\n\nnpm create @enginehouse/],
  [["--wrong"], /^1: Unknown option '--wrong'\n\nnpm create @enginehouse/],
  [["one", "two"], /^1: one name at a time: one, two\n\nnpm create @enginehouse/],
])("%j is refused with what there is", async (args, says) => {
  expect(await refusal(...args)).toMatch(says);
});
