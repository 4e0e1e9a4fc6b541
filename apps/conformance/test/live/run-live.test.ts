import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runChecks, runLive, type Subject, tableOf } from "../../src/index.ts";
import { asks, check, smallSubject } from "../run/small.ts";

let refusals = 0;
/** Stands for a real backend: what is tried here is the live tier, not a protocol. */
const server = createServer((request, reply) => {
  if (refusals > 0) {
    refusals -= 1;
    request.socket.destroy();
  } else reply.end("Lisbon lies by the sea.");
});
let url = "";
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => void server.close(resolve)));

const subject: Subject = smallSubject({}, { live: { settings: (live) => ({ url: live.url }) } });
const options = () => ({ url, model: "tiny", limitMs: 2_000 });

describe("the live tier", () => {
  test("looks at shapes, and skips what is not declared", async () => {
    const report = await runLive(subject, options());
    expect(report.results.find(({ id }) => id === "live-stream")).toMatchObject({ verdict: "passed" });
    expect(report.results.find(({ id }) => id === "live-text")).toMatchObject({ verdict: "passed" });
    expect(report.results.find(({ id }) => id === "live-embed")).toMatchObject({
      verdict: "skipped",
      message: 'the manifest does not declare the operation "embed"',
    });
    expect(report.results.filter(({ verdict }) => verdict === "failed")).toEqual([]);
    expect(report).toMatchObject({ url, model: "tiny", green: true });
  });

  test("calls flaky what fails once and then holds, with how it failed", async () => {
    refusals = 1;
    const { results, green } = await runLive(subject, options());
    const flaky = results.filter(({ verdict }) => verdict === "flaky");
    expect(flaky).toMatchObject([
      { id: "live-stream", message: expect.stringMatching(/socket|hang up|reset/i) },
    ]);
    expect(green).toBe(true);
  });

  test("fails once where nothing answers, and skips the others with that reason", async () => {
    const { results, green } = await runLive(subject, { ...options(), url: "http://127.0.0.1:1" });
    const [first, ...others] = results;
    const message =
      "nothing answers at http://127.0.0.1:1 (ECONNREFUSED): start the server, or name another address";
    expect(first).toMatchObject({ id: "live-reach", verdict: "failed", message });
    expect(others.find(({ id }) => id === "live-stream")).toMatchObject({ verdict: "skipped", message });
    expect(others.every(({ verdict }) => verdict === "skipped")).toBe(true);
    expect(green).toBe(false);
  });

  test("names the address of the embedding model where that is the one that is dead", async () => {
    const dead = { embeddingModel: "vectors", embeddingUrl: "http://127.0.0.1:1" };
    const { results } = await runLive(subject, { ...options(), ...dead });
    expect(results[0]?.message).toContain("nothing answers at http://127.0.0.1:1 ");
  });

  test("asks for vectors where the server is that has their model", async () => {
    const asked: string[] = [];
    const embedding = smallSubject(
      {},
      {
        package: new URL("embedding-plugin/package.json", import.meta.url),
        live: { settings: (live) => (asked.push(live.url), { url: live.url }) },
      },
    );
    // The same server under another name.
    const embeddingUrl = url.replace("127.0.0.1", "localhost");
    const { results } = await runLive(embedding, { ...options(), embeddingModel: "vectors", embeddingUrl });
    const ran = results.filter(({ verdict }) => verdict !== "skipped");
    expect(ran.map(({ id }) => id)).toContain("live-embed");
    // It cannot embed, so that it was asked twice.
    expect(asked.filter((one) => one === embeddingUrl)).toHaveLength(2);
    expect(asked.filter((one) => one === url)).toHaveLength(ran.length - 1);
  });

  test("needs a subject that says how a real backend is reached", async () => {
    await expect(runLive(smallSubject(), options())).rejects.toMatchObject({
      code: "invalid-request",
      hint: expect.stringContaining("live: { settings"),
    });
  });

  test("counts for nothing in the report of the wire", async () => {
    const wire = await runChecks(subject, { checks: [check("S01", asks)] });
    const report = { ...wire, live: await runLive(subject, { ...options(), url: "http://127.0.0.1:1" }) };
    expect(report).toMatchObject({ green: true, totals: { checks: 1, passed: 1, failed: 0 } });
    expect(tableOf(report)).toContain("the shapes do not hold");
  });
});
