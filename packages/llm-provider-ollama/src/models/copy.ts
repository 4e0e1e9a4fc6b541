import { type CallOptions, toLlmError } from "@enginehouse/llm-core";

import { configured, type OllamaSettings } from "../settings.ts";

/** Gives a model a second name on the server. */
export async function copyModel(
  settings: OllamaSettings,
  names: { readonly from: string; readonly to: string },
  options?: CallOptions,
): Promise<void> {
  const { createConnection } = await import("../connection/connection.ts");
  const connection = createConnection(configured(settings));
  try {
    const request = { source: names.from, destination: names.to };
    await connection.ask((sdk) => sdk.copy(request), options, names.from);
  } catch (error) {
    const code = options?.signal?.aborted === true ? "aborted" : "provider-internal";
    throw toLlmError(error, code, { provider: "ollama", operation: "copy", model: names.from });
  } finally {
    connection.close();
  }
}
