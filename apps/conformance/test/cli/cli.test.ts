import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, describe, expect, test } from "vitest";

import { main } from "../../src/cli/main.ts";
import { assertReport, type Report } from "../../src/index.ts";
import { asks, check } from "../run/small.ts";

const folder = fileURLToPath(new URL("subjects", import.meta.url));
const out = mkdtempSync(join(tmpdir(), "reports-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const checks = [
  check("S01", asks),
  check("S10", asks),
  check("A01", asks, { group: "A" }),
  check("E01", asks, { group: "E", needs: { operations: ["embed"], wire: ["embed-usage"] } }),
];

interface Ending {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The program, with what it wrote. */
async function cli(
  args: readonly string[],
  more: { tty?: boolean; env?: NodeJS.ProcessEnv; folder?: string } = {},
): Promise<Ending> {
  let written = "";
  let told = "";
  const tty = more.tty === true ? { isTTY: true, columns: 80 } : {};
  const code = await main(args, {
    stdout: { ...tty, write: (text) => (written += text) },
    stderr: { ...tty, write: (text) => (told += text) },
    env: more.env ?? {},
    folder: more.folder ?? folder,
    date: new Date("2026-11-21T12:00:00Z"),
    checks,
  });
  return { code, out: written, err: told };
}

describe("run", () => {
  test("prints the report and ends with 0 where all is green", async () => {
    const { code, out: table } = await cli(["run", "./green.ts"]);
    expect(table).toMatch(
      /3 passed, 1 skipped in .*\nconformant with contract 1, by the 3 of 4 checks that apply to it\n$/,
    );
    expect(code).toBe(0);
  });

  test("ends with 1 where something failed", async () => {
    const { code, out: table } = await cli(["run", "red.ts", "--only", "S01"]);
    expect(table).toContain("what happened: after the check: a promise was rejected and nobody took it");
    expect(code).toBe(1);
  });

  test("ends with 1 where nothing passed", async () => {
    const { code, out: table } = await cli(["run", "green.ts", "--only", "E"]);
    expect(table).toContain("nothing passed");
    expect(code).toBe(1);
  });

  test("takes the subject of the folder it is started in", async () => {
    const { code } = await cli(["run", "--only=S01"], {
      folder: fileURLToPath(new URL("here", import.meta.url)),
    });
    expect(code).toBe(0);
  });

  test("takes checks and groups, in one list or several", async () => {
    const { out: table } = await cli(["run", "green.ts", "--only", "s01,E", "--only", "A"]);
    expect(table).toContain("2 passed, 1 skipped");
  });

  test("gives the run of a seed", async () => {
    expect((await cli(["run", "green.ts", "--seed", "7"])).out).toContain("seed 7");
  });

  test("writes the report in every form, into folders that it makes", async () => {
    const file = (name: string): string => join(out, "made", name);
    const args = ["json", "junit", "markdown", "badge"].flatMap((kind) => [`--${kind}`, file(kind)]);
    await cli(["run", "green.ts", ...args]);
    const report = JSON.parse(readFileSync(file("json"), "utf8")) as Report;
    assertReport(report, checks);
    expect(report.date).toBe("2026-11-21");
    expect(readFileSync(file("junit"), "utf8")).toMatch(/^<\?xml/);
    expect(readFileSync(file("markdown"), "utf8")).toMatch(/^# Conformance of small-plugin/);
    expect(JSON.parse(readFileSync(file("badge"), "utf8"))).toMatchObject({ schemaVersion: 1 });
  });

  test("shows a line for each group where nobody watches", async () => {
    const { err } = await cli(["run", "green.ts"]);
    expect(err).toBe(
      "S stream shape: 2 passed\nA abort and close: 1 passed\nE embeddings: 0 passed, 1 skipped\n\n",
    );
  });

  test("shows one line that changes in a terminal, and leaves none behind", async () => {
    const { err, out: table } = await cli(["run", "green.ts"], { tty: true });
    expect(err).toContain("\r\u001B[2K2 of 4 · S10 Promise S10 holds.");
    expect(err.endsWith("\r\u001B[2K")).toBe(true);
    expect(err).not.toContain("\n");
    expect(table).toContain("\u001B[32m");
  });

  test("has no colours with NO_COLOR", async () => {
    const { out: table } = await cli(["run", "green.ts"], { tty: true, env: { NO_COLOR: "1" } });
    expect(table).not.toContain("\u001B[");
  });
});

test("--live adds a section for a real backend, which can only make it worse", async () => {
  const args = ["run", "green.ts", "--live", "http://127.0.0.1:1", "--model", "tiny"];
  const { code, out: table, err } = await cli(args);
  expect(table).toContain("Live, shapes only: tiny at http://127.0.0.1:1");
  expect(table).toContain("3 passed, 1 skipped in");
  expect(err).toContain("live-reach: failed\nlive-health: skipped\n");
  expect(code).toBe(1);
});

describe("what is not understood ends with 2 and says what to do:", () => {
  test.each([
    [["run", "nowhere.js"], /there is no file nowhere\.js\n.*was looked for at .*nowhere\.js/],
    [["run"], /there is no conformance\.subject\.ts here\n.*llm-conformance run \.\/my-subject\.js/],
    [["run", "."], /\. is no file/],
    [["run", "no-default.js"], /no-default\.js has no default export\n.*export default defineSubject/],
    [["run", "no-subject.js"], /no-subject\.js is no subject: `backend` has no start\(\)\n.*defineSubject/],
    [["run", "broken.js"], /broken\.js could not be imported: it has a fault of its own\n.*broken\.js:1/],
    [["run", "green.ts", "red.ts"], /one subject at a time/],
    [["run", "green.ts", "--only", "S011"], /there is no check "S011" \(did you mean S01.*\n.*list/],
    [["run", "green.ts", "--seed", "x"], /--seed takes a whole number/],
    [["run", "green.ts", "--sede", "1"], /there is no option "--sede"\n {2}did you mean --seed/],
    [["run", "green.ts", "--json"], /--json/],
    [["run", "green.ts", "--model", "m"], /--model goes with --live/],
    [["run", "green.ts", "--live", "nowhere"], /--live takes an address/],
    [["run", "green.ts", "--live", "http://127.0.0.1:1"], /--live needs --model/],
    [["run", "green.ts", "--embedding-url", "http://127.0.0.1:1"], /--embedding-url goes with --live/],
    [
      ["run", "green.ts", "--live", "http://127.0.0.1:1", "--model", "m", "--embedding-url", "nowhere"],
      /--embedding-url takes an address/,
    ],
    [
      ["run", "green.ts", "--live", "http://127.0.0.1:1", "--model", "m", "--embedding-url", "http://[::1]"],
      /--embedding-url needs --embedding-model/,
    ],
    [
      ["run", "green.ts", "--live", "http://127.0.0.1:1", "--model", "m", "--key-env", "NO_KEY"],
      /--key-env names NO_KEY, which is not set/,
    ],
    [["list", "--seed", "1"], /`list` takes no --seed/],
    [["list", "--group", "Z"], /there is no check "Z"/],
    [["explain"], /`explain` needs a check/],
    [["explain", "S1"], /there is no check "S1" \(did you mean S01 or S10/],
    [["runn"], /there is no command "runn"\n {2}did you mean run/],
    [[], /no command was given\n.*--help/],
  ])("%j", async (args, says) => {
    const { code, out: written, err } = await cli(args);
    expect(err).toMatch(says);
    expect(err).toMatch(/^llm-conformance: /);
    expect(err).not.toContain("    at ");
    expect(written).toBe("");
    expect(code).toBe(2);
  });
});

test("list names every check, or those of a group", async () => {
  expect((await cli(["list"])).out).toContain(
    "S stream shape (2)\nS01 Promise S01 holds.\nS10 Promise S10 holds.",
  );
  expect((await cli(["list", "--group", "e"])).out).toBe("E embeddings (1)\nE01 Promise E01 holds.\n");
});

test("explain says what, why, how to fix it, and without what it is skipped", async () => {
  const { code, out: text } = await cli(["explain", "e01"]);
  expect(text).toBe(
    [
      "E01 Promise E01 holds.",
      "group: E, embeddings",
      "why it matters: Because somebody relies on it.",
      "how to fix it: Keep it.",
      'is skipped without: the operation "embed" in the manifest',
      'is skipped without: a wire with "embed-usage": the backend tells the tokens of embedded texts',
      "",
    ].join("\n"),
  );
  expect(code).toBe(0);
});

describe("the program itself", () => {
  const program = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
  const start = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, ["--conditions=@enginehouse/source", program, ...args], {
      cwd: folder,
    });

  test("tells its version and its usage", async () => {
    expect((await start("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await start("--help")).stdout).toContain("llm-conformance explain S08");
  });

  test("is not green where the plugin ends the process, with whatever code", async () => {
    const ended = await start("run", "exits.ts", "--only", "S01").catch((error: unknown) => error);
    expect(ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the process was ended with code 0 while S01 ran"),
    });
  });

  describe("with little patience", () => {
    const impatient = fileURLToPath(new URL("impatient.ts", import.meta.url));
    const startImpatient = (subject: string) =>
      promisify(execFile)(process.execPath, ["--conditions=@enginehouse/source", impatient, "run", subject], {
        cwd: folder,
      });

    test("ends, and names the check, where the plugin blocks the event loop", async () => {
      const ended = await startImpatient("spins.ts").catch((error: unknown) => error);
      expect(ended).toMatchObject({
        signal: "SIGKILL",
        stderr: expect.stringMatching(
          /blocks the event loop: nothing has moved for 0\.5 s while S01 \(Promise S01 holds\.\) ran/,
        ),
      });
    });

    test("ends where nobody listens to why, too", async () => {
      const child = spawn(
        process.execPath,
        ["--conditions=@enginehouse/source", impatient, "run", "spins.ts"],
        { cwd: folder, stdio: ["ignore", "ignore", "pipe"], timeout: 15_000, killSignal: "SIGTERM" },
      );
      child.stderr.destroy();
      const [, signal] = (await once(child, "exit")) as [number | null, string | null];
      expect(signal).toBe("SIGKILL");
    });

    test("waits for a check that takes its time and blocks nothing", async () => {
      const { stdout, stderr } = await startImpatient("green.ts");
      expect(stdout).toContain("2 passed");
      expect(stderr).not.toContain("blocks");
    });
  });

  test("ends with 2 for what it does not understand", async () => {
    const ended = await start("run", "nowhere.js").catch((error: unknown) => error);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no file") });
    assert.ok(ended instanceof Error);
  });
});
