import { LlmError } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { decodeFault, encodeFault, readLlamaFault } from "../src/errors.ts";

/** The library exports few of its error classes, so they are told by name. */
function named(name: string, message: string): Error {
  const made = { [name]: class extends Error {} }[name] ?? Error;
  return new made(message);
}

test.each([
  [named("NoBinaryFoundError", "No binary"), "unavailable"],
  [named("DisposedError", "Object is disposed"), "shut-down"],
  [named("InsufficientMemoryError", "A context size of 9 is too large"), "out-of-memory"],
  [named("InvalidGgufMagicError", "Invalid GGUF magic"), "model-load-failed"],
  [new Error("ENOENT: no such file or directory, open 'x'"), "model-not-found"],
  [new Error("Input is longer than the usable context size. Try"), "input-too-long"],
  [new Error("The context size is too small to generate a response"), "context-overflow"],
  [new Error("Computing rankings is not supported for this model."), "unsupported"],
  [new Error("Something else"), "provider-internal"],
])("%s is %s", (error, code) => {
  const fault = readLlamaFault(error);
  expect(fault).toMatchObject({ code });
  expect(fault.cause).toBe(error);
});

test("what is unknown while loading is a load that failed", () => {
  expect(readLlamaFault(new Error("Failed to load model"), { phase: "load" })).toMatchObject({
    code: "model-load-failed",
  });
});

test("a fault crosses the process border whole", () => {
  const fault = new LlmError("context-overflow", "too long", {
    figures: { promptTokens: 9, window: 8 },
    hint: "shorten it",
    phase: "request",
    cause: new Error("why"),
  });
  const there = decodeFault(structuredClone(encodeFault(fault)));
  expect(there.toJSON()).toEqual(fault.toJSON());
  expect(String(there.cause)).toContain("why");
});
