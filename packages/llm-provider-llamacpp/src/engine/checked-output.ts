import { type JsonValue, LlmError, type PartialAnswer } from "@enginehouse/llm-core";

import { checkJson, checkValue } from "../grammar/check.ts";

/** What is wrong with the output. The grammar cannot say all that a schema can: the value is held to the caller's own. */
export function faultOfOutput(partial: PartialAnswer, schema: unknown, cut: boolean): LlmError | undefined {
  const checked = checkJson(partial.text, schema);
  if (!("fault" in checked)) return undefined;
  return new LlmError("output-invalid", cut ? "the JSON was cut by the output limit" : checked.fault, {
    phase: "stream",
    retryable: !cut,
    partial,
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
