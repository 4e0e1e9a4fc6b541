import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type Backend,
  type CallScript,
  type ChatScript,
  DEFAULT_MODELS,
  type FakeBackend,
  type ModelScript,
  type Scenario,
  type Seen,
} from "@enginehouse/llm-conformance";
import {
  type ScriptedReply,
  writeEmbedderGguf,
  writeRerankerGguf,
  writeScriptedGguf,
} from "@enginehouse/llm-reference-model/scripted";

const NO_WIRE =
  "the engine runs in a process of its own, and nothing travels but what the plugin itself sends it";
const OWN_WORD = "llama.cpp works by its own rules, and no scenario can make it do otherwise";
const OWN_TEST = "files come from a model hub; the package's pull.test.ts puts a faulty one in front of it";

/**
 * The conformance kit's scenarios as models that are written down, word for word, and run by the real llama.cpp: there is no
 * wire to watch or to break, so that what only a wire can say is left to the package's own tests.
 */
export const scriptedBackend: FakeBackend = {
  wire: "llama.cpp",
  cannot: {
    sockets: NO_WIRE,
    headers: NO_WIRE,
    bytes: NO_WIRE,
    lines: NO_WIRE,
    cuts: NO_WIRE,
    "in-band-error": NO_WIRE,
    malformed: NO_WIRE,
    "http-status": NO_WIRE,
    auth: NO_WIRE,
    version: "the version is that of the library",
    "slow-text": "a model writes as fast as it can",
    usage: "the engine counts its own tokens",
    "usage-absent": "the engine always counts",
    "usage-cached": "the engine counts its own tokens",
    length: "only the request's own limit ends an answer early",
    "content-filter": "the engine has no filter",
    "raw-reason": OWN_WORD,
    "reason-on-calls": OWN_WORD,
    "call-anything": "a grammar lets only offered tools be called, and a call ends the answer",
    "call-fragments": OWN_WORD,
    "call-ids": "the plugin gives the ids",
    "call-text": "a grammar lets only JSON be written",
    "call-terminal": NO_WIRE,
    "tool-choice": NO_WIRE,
    "reasoning-tags": "the engine knows its models' tags; decode.test.ts cuts them",
    "reasoning-levels": NO_WIRE,
    schema: NO_WIRE,
    "schema-broken": "a grammar lets nothing else be written",
    options: NO_WIRE,
    images: "the engine reads no images",
    truncation: OWN_WORD,
    "window-sent": NO_WIRE,
    "embed-batch-limit": "the engine has no limit",
    "embed-vectors": OWN_WORD,
    "embed-usage": "the engine counts its own tokens",
    "keep-alive": NO_WIRE,
    loading: "a load fails by a damaged file or want of memory: lifecycle.test.ts and fit.test.ts",
    pulling: OWN_TEST,
    parallel: NO_WIRE,
  },
  slowness: 10,
  start: async (scenario) => startScripted(scenario),
};

function startScripted({ models = DEFAULT_MODELS, chats = [] }: Scenario): Backend {
  const folder = mkdtempSync(join(tmpdir(), "llamacpp-kit-"));
  for (const model of models) if (model.installed !== false) write(folder, model, chats);
  const named = (task: ModelScript["task"]): string => models.find((model) => model.task === task)?.id ?? "";
  return {
    address: "",
    key: undefined,
    models: { chat: named("chat"), embedding: named("embedding"), rerank: named("rerank") },
    seen: NOTHING,
    settings: { modelsDir: folder },
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

function write(
  folder: string,
  { id, task, window, dimensions = 8 }: ModelScript,
  chats: readonly ChatScript[],
): void {
  const path = join(folder, `${id}.gguf`);
  if (task === "embedding") writeEmbedderGguf(path, { contextWindow: window, dimensions });
  else if (task === "rerank")
    writeRerankerGguf(path, { contextWindow: window, scores: { ferry: 0.4, leave: 0.9 } });
  else writeScriptedGguf(path, { contextWindow: window, script: [replyOf(chats[0] ?? {})] });
}

/** Thoughts first, then text, then calls: the order in which the model writes them. */
function replyOf({ steps = [{ text: "All is well." }] }: ChatScript): ScriptedReply {
  const think = steps.map((step) => ("reasoning" in step ? step.reasoning : "")).join("");
  const say = steps.map((step) => ("text" in step ? step.text : "")).join("");
  const call = steps.flatMap((step) => ("call" in step ? [callOf(step.call)] : []));
  return {
    ...(think !== "" && { think }),
    ...(say !== "" && { say }),
    ...(call.length > 0 && { call }),
  };
}

function callOf({ name, input = {} }: CallScript): { name: string; arguments: Record<string, unknown> } {
  if (typeof input === "string") throw new Error(`a scripted model cannot write the arguments ${input}`);
  return { name, arguments: { ...input } };
}

/** Nothing can be watched inside the process; who waits for something to be seen waits in vain, and is told so. */
const NOTHING: Seen = {
  requests: [],
  openSockets: 0,
  generating: 0,
  mostAtOnce: 0,
  loaded: [],
  async until(when, says, withinMs = 2_000) {
    for (const end = performance.now() + withinMs; performance.now() < end; await sleep(10))
      if (when(NOTHING)) return;
    throw new Error(`nothing can be seen of a model in memory: ${says}`);
  },
};
