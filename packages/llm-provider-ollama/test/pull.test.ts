import type { LlmError, PullProgress } from "@enginehouse/llm-core";
import { describe, expect, test } from "vitest";

import { createProgress } from "../src/models/progress.ts";
import type { PullLine } from "../src/wire.ts";
import { linesOf, pause, type Routes, say, setUp } from "./ollama-server.ts";

const model = "all-minilm";
const faultOf = (promise: Promise<unknown>): Promise<LlmError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as LlmError,
  );

async function all(pull: AsyncIterable<PullProgress>): Promise<PullProgress[]> {
  const seen: PullProgress[] = [];
  for await (const progress of pull) seen.push(progress);
  return seen;
}

/** What the lines become, one by one: over the network some would be skipped for a slow reader. */
function course(lines: readonly PullLine[]): PullProgress[] {
  const progress = createProgress();
  return lines.map((line) => progress.add(line).progress);
}

const layer = (digest: string, total: number, completed?: number): PullLine => ({
  status: `pulling ${digest}`,
  digest,
  total,
  ...(completed !== undefined && { completed }),
});

describe("the course of a download", () => {
  test.each(["pull-resumed", "pull-again", "pull-cancelled"])(
    "%s: never falls, and is 1 at the end alone",
    (name) => {
      const lines = linesOf(name).flatMap((line) => {
        try {
          return [JSON.parse(line) as PullLine];
        } catch {
          return [];
        }
      });
      const fractions = course(lines).flatMap(({ status, fraction }) =>
        status === "done" ? [] : (fraction ?? []),
      );
      expect(fractions.length).toBeGreaterThan(0);
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
      expect(Math.max(...fractions)).toBeLessThan(1);
    },
  );

  test("holds where a later layer shows its size, and counts a layer as whole when the next begins", () => {
    const seen = course([
      { status: "pulling manifest" },
      layer("a", 100),
      layer("a", 100, 90),
      layer("b", 100, 0),
      layer("b", 100, 100),
      { status: "verifying sha256 digest" },
      { status: "success" },
    ]);
    expect(seen.map(({ status }) => status)).toEqual([
      "resolving",
      "downloading",
      "downloading",
      "downloading",
      "downloading",
      "verifying",
      "done",
    ]);
    expect(seen.map(({ fraction }) => fraction)).toEqual([undefined, 0, 0.9, 0.9, 0.999, 0.999, 1]);
    expect(seen.map(({ receivedBytes }) => receivedBytes)).toEqual([undefined, 0, 90, 100, 200, 200, 200]);
  });
});

describe("a pull", () => {
  test("ends with the name under which the model can be used", async () => {
    await using given = await setUp({ "POST /api/pull": "pull-again" });
    const seen = await all(given.ollama.pullModel({ model }));
    expect(seen.at(-1)).toMatchObject({ status: "done", fraction: 1, model });
    expect(given.server.of("/api/pull")[0]?.body).toEqual({ model, stream: true });
  });

  test.each([
    ["pull-unknown", "model-not-found"],
    ["pull-no-network", "unavailable"],
    ["ollama-0.13/pull-no-network", "unavailable"],
    ["pull-installed", "unavailable"],
    ["pull-bad-name", "invalid-request"],
    ["pull-unknown-one-piece", "model-not-found"],
  ])("%s is %s, also where the server says it after status 200", async (name, code) => {
    await using given = await setUp({ "POST /api/pull": name });
    expect(await faultOf(all(given.ollama.pullModel({ model })))).toMatchObject({ code, operation: "pull" });
  });

  test("a disk that is full has its code", async () => {
    await using given = await setUp({
      "POST /api/pull": (_, response) =>
        say(response, [{ error: "write /models/x: no space left on device" }]),
    });
    expect(await faultOf(all(given.ollama.pullModel({ model })))).toMatchObject({ code: "disk-full" });
  });

  test("an end without success is none", async () => {
    await using given = await setUp({
      "POST /api/pull": (_, response) => say(response, [{ status: "pulling manifest" }]),
    });
    expect(await faultOf(all(given.ollama.pullModel({ model })))).toMatchObject({
      code: "stream-interrupted",
    });
  });

  test("figures that stand still are a stall, although lines keep coming", async () => {
    await using given = await setUp(
      {
        "POST /api/pull": (_, response) => {
          const timer = setInterval(() => response.write(`${JSON.stringify(layer("a", 100, 40))}\n`), 10);
          response.on("close", () => clearInterval(timer));
        },
      },
      { pullStallMs: 150 },
    );
    const left = given.server.left("/api/pull");
    const fault = await faultOf(all(given.ollama.pullModel({ model })));
    expect(fault).toMatchObject({ code: "timeout", phase: "pull", retryable: true });
    expect(fault.hint).toContain("what has arrived is kept");
    await left;
  });

  test("a long look at the sums is no stall", async () => {
    await using given = await setUp(
      {
        "POST /api/pull": async (_, response) => {
          response.write(`${JSON.stringify(layer("a", 100, 100))}\n{"status":"verifying sha256 digest"}\n`);
          await pause(250);
          response.end('{"status":"success"}\n');
        },
      },
      { pullStallMs: 80 },
    );
    expect((await all(given.ollama.pullModel({ model }))).at(-1)?.status).toBe("done");
  });

  test("that joins one that another client cancels is asked for once more", async () => {
    await using given = await setUp({
      "POST /api/pull": (_, response, count) =>
        say(response, [count === 0 ? { error: "context canceled" } : { status: "success" }]),
    });
    expect((await all(given.ollama.pullModel({ model }))).at(-1)?.status).toBe("done");
    expect(given.server.of("/api/pull")).toHaveLength(2);
  });

  test("that is cancelled time and again says so", async () => {
    await using given = await setUp({
      "POST /api/pull": (_, response) => say(response, [{ error: "context canceled" }]),
    });
    expect(await faultOf(all(given.ollama.pullModel({ model })))).toMatchObject({
      code: "provider-internal",
    });
    expect(given.server.of("/api/pull")).toHaveLength(2);
  });
});

describe("leaving a pull", () => {
  const endless: Routes = {
    "POST /api/pull": (_, response) => {
      let completed = 0;
      const timer = setInterval(() => {
        completed += 1;
        response.write(`${JSON.stringify(layer("a", 1e9, completed))}\n`);
      }, 5);
      response.on("close", () => clearInterval(timer));
    },
  };

  test("closes the connection, so that the server stops", async () => {
    await using given = await setUp(endless);
    const left = given.server.left("/api/pull");
    for await (const { fraction } of given.ollama.pullModel({ model })) if ((fraction ?? 0) > 0) break;
    const from = performance.now();
    expect((await left) - from).toBeLessThan(250);
  });

  test("by the signal closes it as well", async () => {
    await using given = await setUp(endless);
    const abort = new AbortController();
    const left = given.server.left("/api/pull");
    const pull = all(given.ollama.pullModel({ model }, { signal: abort.signal }));
    await pause(50);
    abort.abort();
    expect(await faultOf(pull)).toMatchObject({ code: "aborted" });
    await left;
  });

  test("pulls of one model are one request, which ends with the last of them", async () => {
    await using given = await setUp(endless);
    let gone = false;
    void given.server.left("/api/pull").then(() => (gone = true));
    const [one, other] = [given.ollama.pullModel({ model }), given.ollama.pullModel({ model })].map((pull) =>
      pull[Symbol.asyncIterator](),
    );
    await Promise.all([one?.next(), other?.next()]);
    expect(given.server.of("/api/pull")).toHaveLength(1);
    await one?.return?.();
    await pause(50);
    expect(gone).toBe(false);
    expect((await other?.next())?.done).toBe(false);
    await other?.return?.();
    await pause(50);
    expect(gone).toBe(true);
  });

  test("is of one model whether or not its usual tag is said, and each is told the name that it said", async () => {
    await using given = await setUp({ "POST /api/pull": "pull-again" });
    const names = ["all-minilm", "all-minilm:latest"];
    const seen = await Promise.all(names.map((name) => all(given.ollama.pullModel({ model: name }))));
    expect(seen.map((one) => one.at(-1)?.model)).toEqual(names);
    expect(given.server.of("/api/pull")).toHaveLength(1);
  });

  test("closing the provider ends it", async () => {
    await using given = await setUp(endless);
    const left = given.server.left("/api/pull");
    const pull = all(given.ollama.pullModel({ model }));
    await pause(50);
    await given.ollama.close();
    expect(await faultOf(pull)).toMatchObject({ code: "shut-down" });
    await left;
  });
});

test("lines of other types than they should have move nothing and break nothing", async () => {
  await using given = await setUp({
    "POST /api/pull": (_, response) =>
      say(response, [
        { status: 5, digest: 7, total: "x", completed: {} },
        { status: null, error: null },
        { status: "pulling", digest: "__proto__", total: -5, completed: -1 },
        { status: "success" },
      ]),
  });
  const seen = await all(given.ollama.pullModel({ model: "m" }));
  expect(seen.at(-1)).toMatchObject({ status: "done", fraction: 1, model: "m" });
});
