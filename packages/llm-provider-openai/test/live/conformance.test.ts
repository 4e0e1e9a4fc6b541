import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Report } from "@enginehouse/llm-conformance";
import { isMissing } from "@enginehouse/vitest-preset/live";
import { expect, test } from "vitest";

import { CHAT_MODEL, EMBEDDER, type LlamaServer, startLlama } from "./llama-server.ts";

const kit = dirname(createRequire(import.meta.url).resolve("@enginehouse/llm-conformance/package.json"));
const folder = fileURLToPath(new URL("../..", import.meta.url));
const KEY = "key-for-the-live-tier";

/** What an author types, over the sources. */
const conformance = (args: readonly string[]) =>
  promisify(execFile)(
    process.execPath,
    ["--conditions=@enginehouse/source", join(kit, "src/cli.ts"), "run", "conformance.subject.ts", ...args],
    { cwd: folder, env: { ...process.env, LIVE_KEY: KEY } },
  );

test("the kit's live tier is green in front of a real llama-server with SmolLM2, beside the wire", async (context) => {
  const own = ["-np", "1", "--api-key", KEY];
  const chat = await startLlama(context, CHAT_MODEL, [...own, "-c", "2048", "--jinja", "--alias", "SmolLM2"]);
  const reports = await mkdtemp(join(tmpdir(), "live-report-"));
  let embedder: LlamaServer | undefined;
  try {
    // The model for vectors is not everywhere; the report then says what was left out.
    if (!isMissing(EMBEDDER)) {
      embedder = await startLlama(context, EMBEDDER, [...own, "--embeddings", "--alias", "MiniLM"]);
    }
    const vectors =
      embedder === undefined ? [] : ["--embedding-model", "MiniLM", "--embedding-url", embedder.address];
    const live = ["--live", chat.address, "--model", "SmolLM2", "--key-env", "LIVE_KEY", ...vectors];
    const json = join(reports, "report.json");
    const { stdout } = await conformance(["--only", "S01", ...live, "--json", json]);

    const text = await readFile(json, "utf8");
    const report = JSON.parse(text) as Report;
    const results = report.live?.results ?? [];
    const flaky = results.filter(({ verdict }) => verdict === "flaky");
    if (flaky.length > 0) console.warn(`flaky: ${JSON.stringify(flaky)}`);
    expect(results.filter(({ verdict }) => verdict === "failed")).toEqual([]);
    expect(results.filter(({ verdict }) => verdict === "skipped").map(({ message }) => message)).toEqual(
      embedder === undefined ? ["no embedding model was named"] : [],
    );
    expect(report.live).toMatchObject({ green: true, url: chat.address, model: "SmolLM2" });
    expect(report).toMatchObject({ wire: { name: "openai" }, totals: { passed: 1, failed: 0 } });
    expect(stdout).toContain("the shapes hold");
    expect(`${text}${stdout}`).not.toContain(KEY);
  } finally {
    await Promise.all([chat.stop(), embedder?.stop(), rm(reports, { recursive: true, force: true })]);
  }
});
