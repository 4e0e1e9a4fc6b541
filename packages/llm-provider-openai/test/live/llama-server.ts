import { type ChildProcess, spawn } from "node:child_process";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { findEngine, findModel, present } from "@enginehouse/vitest-preset/live";
import type { TestContext } from "vitest";

/** The real server, on a port of its own, with one thread. */
export interface LlamaServer {
  readonly address: string;
  /** Whether any of its slots works on something now. */
  busy(): Promise<boolean>;
  stop(): Promise<void>;
}

export const CHAT_MODEL = findModel("SmolLM2-135M-Instruct.Q4_1.gguf");
/** Small, and made to call tools. */
export const CALLER = fileURLToPath(
  new URL("../../../llm-reference-model/models/chat/reference-model-q8_0.gguf", import.meta.url),
);
export const EMBEDDER = findModel("all-MiniLM-L6-v2-q8_0.gguf");

/** Starts it, or skips the test with the reason why it cannot. */
export async function startLlama(
  context: TestContext,
  model: ReturnType<typeof findModel>,
  more: readonly string[] = [],
): Promise<LlamaServer> {
  const program = present(context, findEngine("llama-server"));
  const file = present(context, model);
  const flags = ["-m", file, "--host", "127.0.0.1", "--port", "0", "-t", "1", "-tb", "1", ...more];
  const child = spawn(program, flags, {
    env: { ...process.env, LD_LIBRARY_PATH: dirname(program) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const address = await listening(child);
  if (address === undefined) return context.skip("the prebuilt llama-server needs a processor with AVX-VNNI");
  const key = more[more.indexOf("--api-key") + 1];
  const headers = more.includes("--api-key") ? { authorization: `Bearer ${key}` } : undefined;
  return {
    address,
    async busy() {
      const reply = await fetch(`${address}/slots`, { ...(headers && { headers }) });
      return ((await reply.json()) as { is_processing: boolean }[]).some((slot) => slot.is_processing);
    },
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([new Promise((resolve) => child.once("exit", resolve)), pause(2_000)]);
      child.kill("SIGKILL");
    },
  };
}

/** The address, or nothing where the processor does not know an instruction of the program. */
function listening(child: ChildProcess): Promise<string | undefined> {
  let said = "";
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (signal === "SIGILL") resolve(undefined);
      else reject(new Error(`llama-server ended with ${code ?? signal}: ${said.slice(-2_000)}`));
    });
    child.stderr?.on("data", (data: Buffer) => {
      if (said.includes("listening on")) return;
      said += data.toString();
      const found = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
}
