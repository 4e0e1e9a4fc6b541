import { spawn } from "node:child_process";
import { createServer } from "node:net";
import process from "node:process";

import { describe, expect, test } from "vitest";

import { type Check, runChecks } from "../../src/index.ts";
import { asks, check, type Faults, smallSubject } from "./small.ts";

async function run(faults: Faults, tried: Check["run"] = asks) {
  const report = await runChecks(smallSubject(faults), { checks: [check("S01", tried)] });
  const [result] = report.results;
  if (result === undefined) throw new Error("no result");
  return result;
}

const leftover = (message: RegExp) => ({
  verdict: "failed",
  cause: "leftovers",
  message: expect.stringMatching(message),
});

describe("after a check that held, it is a failure of the check that", () => {
  test("a socket to the backend stays open", async () => {
    expect(await run({ keepsSocket: true })).toMatchObject(
      leftover(/^after the check: 1 connection\(s\) to the backend are still open after close\(\)/),
    );
  });

  test("a timer is left, though it keeps nothing awake", async () => {
    expect(await run({ keepsTimer: true })).toMatchObject(leftover(/a timer is left, made at .*small\.ts/));
  });

  test("a listener is left on a signal", async () => {
    expect(await run({ keepsListener: true, bare: true })).toMatchObject(
      leftover(/1 listener\(s\) are left on the signal that stream was given/),
    );
  });

  test("a promise was rejected and nobody took it", async () => {
    expect(await run({ forgetsRejection: true })).toMatchObject(
      leftover(/a promise was rejected and nobody took it: Error: forgotten \(at .*small\.ts/),
    );
  });

  test("an exception was thrown where nobody could take it", async () => {
    expect(await run({ throwsLater: true })).toMatchObject(leftover(/an exception .*: Error: thrown later/));
  });

  test("what a method was given has changed", async () => {
    expect(await run({ changesRequest: true })).toMatchObject(leftover(/what stream was given has changed/));
  });

  test("close() does not end", { timeout: 20_000 }, async () => {
    expect(await run({ neverCloses: true })).toMatchObject(
      leftover(/close\(\) of the provider was not over within 5000 ms/),
    );
  });

  test("a child process is left", async () => {
    const children: ReturnType<typeof spawn>[] = [];
    const result = await run({}, async () => {
      children.push(spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"], { stdio: "ignore" }));
    });
    for (const child of children) child.kill();
    expect(result).toMatchObject(leftover(/a child process is left, made at .*leftovers\.test\.ts/));
  });

  test("the pipes of a child are left, each with the line that made them", async () => {
    const children: ReturnType<typeof spawn>[] = [];
    const result = await run({}, async () => {
      children.push(spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]));
    });
    for (const child of children) child.kill();
    expect(result).toMatchObject(leftover(/a pipe is left, made at .*leftovers\.test\.ts/));
    expect(result).not.toMatchObject(leftover(/<anonymous>/));
  });

  test("a rejection that nobody took is told with its line, also where the engine itself threw", async () => {
    const result = await run({}, async () => void Promise.resolve("{").then((text) => JSON.parse(text)));
    expect(result).toMatchObject(leftover(/nobody took it: SyntaxError: .*leftovers\.test\.ts/));
  });

  test("a server is left", async () => {
    const left: { close(): unknown }[] = [];
    const result = await run({}, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      left.push(server);
    });
    for (const one of left) await one.close();
    expect(result).toMatchObject(leftover(/a server is left/));
  });
});

test("a check that fails says why, and what was left only beside it", async () => {
  const result = await run({}, async () => {
    setTimeout(() => undefined, 3_000);
    throw new Error("broken");
  });
  expect(result).toMatchObject({
    cause: "promise",
    message: expect.stringMatching(/^Error: broken \(at .*leftovers\.test\.ts/),
    saw: [expect.stringContaining("a timer is left")],
  });
});

test("timers and sockets of others in the same process do not count", async () => {
  const others = setInterval(() => undefined, 60_000);
  const result = await run({}, async () => {
    await new Promise((resolve) => void setTimeout(resolve, 20));
  });
  clearInterval(others);
  expect(result).toMatchObject({ verdict: "passed" });
});

test("whoever listened to rejections before listens again after", async () => {
  const before = process.rawListeners("unhandledRejection");
  await run({ forgetsRejection: true });
  expect(process.rawListeners("unhandledRejection")).toEqual(before);
});

test("places are told from the working directory, so that a report names no folder of one machine", async () => {
  const { message } = { message: "", ...(await run({ keepsTimer: true })) };
  expect(message).toContain("test/run/small.ts");
  expect(message).not.toContain(process.cwd());
});
