import { type CallOptions, type Health, isLlmError } from "@enginehouse/llm-core";

import type { Connection } from "./connection.ts";
import type { Facts } from "./facts.ts";
import { isBefore, OLDEST } from "./version.ts";

/** The version call answers at once, also while a model loads. */
export async function healthOf(
  connection: Connection,
  facts: Facts,
  options: CallOptions | undefined,
): Promise<Health> {
  try {
    const { version } = await connection.ask((sdk) => sdk.version(), options);
    if (typeof version !== "string") {
      const hint = "is this the address of an Ollama server?";
      return { status: "down", message: "the server there does not tell Ollama's version", hint };
    }
    facts.sawVersion(version);
    if (!isBefore(version, OLDEST)) return { status: "ok", version };
    const message = `Ollama ${version} is older than ${OLDEST}, the first that this provider knows`;
    return { status: "degraded", version, message, hint: "update it from https://ollama.com/download" };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const hint = isLlmError(error) ? error.hint : undefined;
    return { status: "down", message, hint: hint ?? "look whether the server runs, and at its address" };
  }
}
