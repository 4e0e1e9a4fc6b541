import { LlmError } from "./errors.ts";

/** Throws `invalid-request`, naming the field, where a request has no model or no list of texts. */
export function checkTexts(request: object, field: string): void {
  checkNamed(request);
  if (!isTexts((request as Readonly<Record<string, unknown>>)[field]))
    wrong(field, "expected a list of texts");
}

/** What an operation is about: a model's name, or a request with one. */
export function checkNamed(input: unknown): void {
  const model = typeof input === "object" && input !== null && "model" in input ? input.model : input;
  if (typeof model !== "string" || model === "") wrong("model", "name a model");
}

export function wrong(field: string, says: string): never {
  throw new LlmError("invalid-request", `${field}: ${says}`);
}

export const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((text) => typeof text === "string");
