import { Readable } from "node:stream";

import { expect, test } from "vitest";

import { CHECKS } from "../../src/checks/index.ts";
import { PACKAGE_CHECKS } from "../../src/mutants/checks.ts";
import type { Parts } from "../../src/reference/parts.ts";
import { handmadePlugin } from "../../src/reference/plugin.ts";
import { referenceSubject } from "../../src/reference/subject.ts";
import type { CheckResult } from "../../src/report/report.ts";
import { runChecks } from "../../src/run/run-checks.ts";

const failures = (results: readonly CheckResult[]): readonly string[] =>
  results.flatMap((result) => (result.verdict === "failed" ? [`${result.id}: ${result.message}`] : []));

test("the reference keeps every promise, and no check is skipped", { timeout: 120_000 }, async () => {
  const { results, totals } = await runChecks(referenceSubject(), { seed: 1 });
  expect(failures(results)).toEqual([]);
  expect(totals.skipped).toBe(0);
});

test(
  "without the core around it, the reference fails what the core does for it",
  { timeout: 120_000 },
  async () => {
    const subject = referenceSubject({ plugin: handmadePlugin() });
    const { results } = await runChecks(subject, {
      seed: 1,
      only: ["C02", "C03", "A05", "F14", "S08", "F01"],
    });
    const failed = results.flatMap(({ id, verdict }) => (verdict === "failed" ? [id] : []));
    expect(failed).toEqual(["C02", "C03", "A05", "F14"]);
  },
);

test("what looks at the package looks at nothing else of a subject", { timeout: 60_000 }, async () => {
  const never = (): never => {
    throw new Error("the plugin was asked for");
  };
  const reference = referenceSubject();
  const subject = {
    ...reference,
    plugin: async () => never(),
    settings: never,
    backend: { ...reference.backend, start: never },
  };
  const { results } = await runChecks(subject, { seed: 1, only: PACKAGE_CHECKS });
  expect(failures(results)).toEqual([]);
});

test("Node's own fetch is found out, whatever its timers did before", { timeout: 60_000 }, async () => {
  const createConnections: Parts["createConnections"] = () => ({
    async send({ url, method, headers, body }, clock) {
      clock.connected();
      const init = { method, headers, signal: clock.signal, ...(body !== undefined && { body }) };
      const reply = await fetch(url, init);
      const stream = reply.body === null ? Readable.from([]) : Readable.fromWeb(reply.body as never);
      return Object.assign(stream, { statusCode: reply.status, headers: {} }) as never;
    },
    close: () => undefined,
  });
  const subject = referenceSubject({ parts: { createConnections } });
  const { results } = await runChecks(subject, { seed: 1, only: ["S01", "F12"] });
  const f12 = results.find(({ id }) => id === "F12");
  expect(f12).toMatchObject({
    verdict: "failed",
    message: expect.stringContaining("before 350 s had passed"),
  });
});

test("a bug of the plugin's own is told with its place in the plugin", { timeout: 60_000 }, async () => {
  const bug = (): never => {
    throw new TypeError("there is no such thing");
  };
  const subject = referenceSubject({ inside: (provider) => ({ ...provider, stream: bug, embed: bug }) });
  const { results } = await runChecks(subject, { seed: 1, only: ["S01", "T01", "A04", "E01"] });
  expect(failures(results)).toHaveLength(4);
  for (const failure of failures(results))
    expect(failure).toMatch(/there is no such thing.*\(at .*reference\.test\.ts:\d+/s);
});

test("each check says what it promises, why, and what to do, in whole sentences", () => {
  const texts = CHECKS.flatMap(({ id, promise, why, fix }) =>
    [promise, why, fix].map((text) => `${id}: ${text}`),
  );
  expect(texts.filter((text) => !/[.?!`"]$/.test(text))).toEqual([]);
});

test("what goes wrong in a process of its own is told in the words of its error", async () => {
  const module = new URL("nowhere/entry.ts", import.meta.url);
  const { results } = await runChecks(referenceSubject({ module }), { seed: 1, only: ["L14"] });
  expect(failures(results)).toEqual([
    expect.stringMatching(
      /^L14: a process that .* did not get that far: Error \[ERR_MODULE_NOT_FOUND\]: Cannot find module .*nowhere/,
    ),
  ]);
});
