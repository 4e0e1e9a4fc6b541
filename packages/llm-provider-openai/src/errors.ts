import { type Health, isLlmError } from "@enginehouse/llm-core";
import { type ErrorContext, faultOfReply } from "@enginehouse/llm-openai-dialect";
import type { WireCall } from "@enginehouse/llm-wire";

import type { Preset } from "./presets/presets.ts";

/** What only the wording of a refusal tells, for one operation. */
export const readFaultOf =
  (operation: ErrorContext["operation"]): NonNullable<WireCall["readFault"]> =>
  (status, body) =>
    faultOfReply(status, body, operation);

/** What keeps the server from being used, and what to do about it. */
export function healthOfFault(error: unknown, preset: Preset): Health {
  if (!isLlmError(error)) return { status: "down", message: String(error), hint: preset.hint };
  const { code, message, hint } = error;
  const unreached = code === "timeout" || (code === "unavailable" && error.status === undefined);
  // A server without a list of models may chat all the same.
  const lists = code !== "model-not-found" && code !== "unsupported";
  return {
    status: lists ? "down" : "degraded",
    message,
    hint: unreached ? preset.hint : (hint ?? preset.hint),
  };
}
