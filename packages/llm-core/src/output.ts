import type { ChatRequest } from "./chat.ts";
import { LlmError } from "./errors.ts";
import type { FinishReason, Warning } from "./events.ts";
import type { SchemaFault } from "./json-schema.ts";

/** Where a value does not fit what was asked for; empty where it does. */
export type ValueCheck = (value: unknown) => readonly SchemaFault[];

/**
 * The check of an output that has a schema to fit, imported when one is first asked for: before the answer begins, so
 * that its end waits for nothing. What no value can be held to is refused, or told of, as everything unsupported is.
 */
export async function readOutputSchema(
  { responseFormat, unsupported }: ChatRequest,
  warnings: Warning[],
): Promise<ValueCheck | undefined> {
  const schema = responseFormat?.type === "json" ? responseFormat.schema : undefined;
  if (schema === undefined) return undefined;
  const { faultsOfSchema, faultsOfValue } = await import("./json-schema.ts");
  for (const { at, message: says } of whereNotTooDeep(() => faultsOfSchema(schema))) {
    const message = `the output cannot be held to its schema at "${placeOf(at)}": ${says}`;
    if (unsupported !== "warn") {
      const hint = 'write the schema without it, or set unsupported to "warn"';
      throw new LlmError("unsupported", message, { hint });
    }
    warnings.push({ code: "unsupported", option: "responseFormat", message });
  }
  return (value) => faultsOfValue(value, schema);
}

/** A schema that was made by a program may be deeper than any stack. */
function whereNotTooDeep<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw new LlmError("invalid-request", "responseFormat.schema: it is nested too deep", { cause });
  }
}

/** Throws for an output that is not the JSON that was asked for: it is a fault, never an answer, and never repaired. */
export function checkOutput(text: string, { unified }: FinishReason, check: ValueCheck | undefined): void {
  let value: unknown;
  let cause: unknown;
  let says = "the output is not JSON";
  try {
    value = JSON.parse(text);
    const [first, ...more] = check?.(value) ?? [];
    if (first === undefined) return;
    const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
    says = `the output breaks its schema at "${placeOf(first.at)}": ${first.message}${rest}`;
  } catch (error) {
    cause = error;
  }
  if (unified === "content-filter")
    throw new LlmError("content-filtered", "the answer was withheld, and is not the JSON that was asked for");
  if (unified === "length") {
    const hint = "raise maxTokens, or ask for a smaller object";
    says = "the JSON was cut by the output limit";
    throw new LlmError("output-invalid", says, { hint, retryable: false, cause });
  }
  const hint = check === undefined ? undefined : "ask again, or loosen the schema";
  throw new LlmError("output-invalid", says, { hint, retryable: true, cause });
}

const placeOf = (at: string): string => (at === "" ? "/" : at);
