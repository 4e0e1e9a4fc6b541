import type { CallOptions, JsonObject } from "@enginehouse/llm-core";

import { configured, type OllamaSettings } from "../settings.ts";

/** A model to be made on the server from a GGUF file of this machine. */
export interface CreateModelRequest {
  /** Its name on the server. */
  readonly model: string;
  readonly file: string;
  /** Left out: the one in the file. */
  readonly template?: string | undefined;
  readonly system?: string | undefined;
  /** Such as `temperature` or `stop`: what a chat does not say. */
  readonly parameters?: JsonObject | undefined;
  readonly license?: string | undefined;
  /** Quantizes while it creates, such as `q4_K_M`. */
  readonly quantize?: string | undefined;
}

export interface CreateProgress {
  readonly status: "hashing" | "uploading" | "creating" | "done";
  /** Of the hashing, then of the uploading; it falls between the two. */
  readonly fraction?: number | undefined;
  /** The server's own word while it creates. */
  readonly message?: string | undefined;
}

/** Makes a model from a file: its bytes go to the server, unless it has them, then it is put together there. Leaving the loop cancels. */
export async function* createModel(
  settings: OllamaSettings,
  request: CreateModelRequest,
  options?: CallOptions,
): AsyncGenerator<CreateProgress, void, undefined> {
  // All that it needs is imported with the first call: the package's entry stays light.
  const { runCreate } = await import("./run-create.ts");
  yield* runCreate(configured(settings), request, options);
}
