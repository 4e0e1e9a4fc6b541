import { LlmError } from "@enginehouse/llm-core";

import type { LiveReport, LiveResult } from "../report/report.ts";
import { deadline, now } from "../run/clock.ts";
import { readSubjectPackage } from "../run/manifest.ts";
import { whyNot } from "../run/needs.ts";
import type { Subject } from "../subject.ts";
import type { LiveCheck } from "./live-check.ts";
import { LIVE_CHECKS } from "./live-checks.ts";

export interface LiveOptions {
  readonly url: string;
  readonly model: string;
  readonly embeddingModel?: string | undefined;
  /** Where the embedding model is, when a server of its own has it. Default `url`. */
  readonly embeddingUrl?: string | undefined;
  readonly key?: string | undefined;
  /** For each try of each check. Default 120 000. */
  readonly limitMs?: number | undefined;
  readonly onStart?: ((check: LiveCheck) => void) | undefined;
  readonly onResult?: ((result: LiveResult) => void) | undefined;
}

/** Looks at the shapes of a real backend's answers, beside the checks on the wire and never in their place. */
export async function runLive(subject: Subject, options: LiveOptions): Promise<LiveReport> {
  const { url, model, onStart, onResult } = options;
  if (subject.live === undefined) {
    throw new LlmError("invalid-request", "the subject says nothing of a real backend", {
      hint: "give it `live: { settings: ({ url, key }) => ({ baseUrl: url, apiKey: key }) }`",
    });
  }
  const { manifest } = readSubjectPackage(subject);
  const results: LiveResult[] = [];
  let unreached: string | undefined;
  for (const check of LIVE_CHECKS) {
    const { id, promise } = check;
    const reason =
      whyNot(check, manifest, { wire: "live", cannot: {} }) ??
      (check.embeds === true && options.embeddingModel === undefined
        ? "no embedding model was named"
        : undefined) ??
      unreached;
    if (reason === undefined) onStart?.(check);
    const result: LiveResult =
      reason === undefined
        ? { id, promise, ...(await tryTwice(check, subject, options)) }
        : { id, promise, verdict: "skipped", message: reason };
    results.push(result);
    onResult?.(result);
    // One failure says it; the others would only repeat it in words that hide it.
    if (check === REACH && result.verdict === "failed") unreached = result.message;
  }
  const failed = results.some(({ verdict }) => verdict === "failed");
  const passed = results.some(({ verdict }) => verdict === "passed" || verdict === "flaky");
  return { url, model, green: passed && !failed, results };
}

const [REACH] = LIVE_CHECKS;

type Tried = Pick<LiveResult, "verdict" | "ms" | "message">;

/** A model is no clockwork: what fails once and then holds is told as flaky, with how it failed. */
async function tryTwice(check: LiveCheck, subject: Subject, options: LiveOptions): Promise<Tried> {
  const began = now();
  const first = await tryOnce(check, subject, options);
  const second = first === undefined ? undefined : await tryOnce(check, subject, options);
  const ms = Math.max(1, Math.round(now() - began));
  if (first === undefined) return { verdict: "passed", ms };
  return { verdict: second === undefined ? "flaky" : "failed", ms, message: second ?? first };
}

/** How it failed, if it did. */
async function tryOnce(
  check: LiveCheck,
  subject: Subject,
  options: LiveOptions,
): Promise<string | undefined> {
  const { key, model, embeddingModel, limitMs = 120_000 } = options;
  const url = check.embeds === true ? (options.embeddingUrl ?? options.url) : options.url;
  const stop = new AbortController();
  const limit = deadline(limitMs);
  try {
    const plugin = typeof subject.plugin === "function" ? await subject.plugin() : subject.plugin;
    const provider = plugin.create((subject.live?.settings({ url, key }) ?? {}) as never);
    const addresses = [options.url, options.embeddingUrl].filter((address) => address !== undefined);
    const bench = { provider, addresses, model, embeddingModel, signal: stop.signal };
    const tried = (async () => {
      try {
        await check.run(bench);
      } finally {
        await provider.close();
      }
    })();
    tried.catch(() => undefined);
    const first = await Promise.race([tried, limit.over]);
    if (first !== "over") return undefined;
    stop.abort();
    return `it was not over within ${limitMs} ms`;
  } catch (error) {
    return error instanceof Error ? error.message.trimEnd() : String(error);
  } finally {
    limit.clear();
  }
}
