import { type JsonValue, LlmError } from "@enginehouse/llm-core";

import { checkJson, checkValue } from "../grammar/check.ts";

/** The grammar cannot say all that a schema can: the value is held to the caller's own. */
export function checkOutput(text: string, schema: unknown, cut: boolean): void {
  const checked = checkJson(text, schema);
  if (!("fault" in checked)) return;
  throw new LlmError("output-invalid", cut ? "the JSON was cut by the output limit" : checked.fault, {
    phase: "stream",
    retryable: !cut,
    hint: cut ? "raise maxTokens, or ask for a smaller object" : "ask again, or loosen the schema",
  });
}

/** A call's arguments as a value, or why they are none that the tool takes. */
export function readInput(
  text: string,
  error: string | undefined,
  schema: unknown,
): { input?: JsonValue; inputError?: string } {
  if (error !== undefined) return { inputError: error };
  try {
    const input = (text === "" ? {} : JSON.parse(text)) as JsonValue;
    const [fault] = schema === undefined ? [] : checkValue(input, schema);
    return fault === undefined ? { input } : { input, inputError: `${fault.at}: ${fault.message}` };
  } catch (fault) {
    return { inputError: fault instanceof Error ? fault.message : String(fault) };
  }
}
