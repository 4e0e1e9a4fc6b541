import { type ChatRequest, LlmError } from "@enginehouse/llm-core";

import { checkValue } from "./schema-check.ts";

interface Outcome {
  /** The output limit was reached. */
  readonly cut: boolean;
  readonly calls: number;
  /** A filter or a refusal ended the answer. */
  readonly withheld: boolean;
}

/** What is wrong with an output that has a schema to fit; text that is no JSON at all is the core's to find. */
export function faultOfOutput(
  { responseFormat }: ChatRequest,
  text: readonly string[],
  { cut, calls, withheld }: Outcome,
): LlmError | undefined {
  if (responseFormat?.type !== "json" || calls > 0) return undefined;
  const whole = text.join("");
  if (withheld) {
    const says = whole === "" ? "the answer was withheld" : `the answer was withheld: ${whole.slice(0, 300)}`;
    return new LlmError("content-filtered", says);
  }
  if (cut) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(whole);
  } catch {
    return undefined;
  }
  // Without a schema of its own, "as JSON" means an object.
  const [fault] = checkValue(value, responseFormat.schema ?? { type: "object" });
  if (fault === undefined) return undefined;
  const place = fault.at === "" ? "/" : fault.at;
  return new LlmError("output-invalid", `the output breaks its schema at "${place}": ${fault.message}`, {
    retryable: true,
    hint: "ask again, or loosen the schema",
  });
}
