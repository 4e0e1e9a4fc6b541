import { describe, expect, test } from "vitest";

import { ERROR_CODES, isLlmError, LlmError, redact, toLlmError, withDetails } from "../src/index.ts";

describe("LlmError", () => {
  test("takes the retry bit of its code, unless the case is known better", () => {
    expect(new LlmError("unavailable", "x").retryable).toBe(true);
    expect(new LlmError("unavailable", "x", { retryable: false }).retryable).toBe(false);
    expect(new LlmError("provider-internal", "x").retryable).toBeUndefined();
  });

  test("is recognised by its mark, not by its class", () => {
    const foreign = Object.defineProperty(new Error("x"), Symbol.for("enginehouse.llm-error"), {
      value: true,
    });
    expect(isLlmError(foreign)).toBe(true);
    expect(isLlmError(new Error("x"))).toBe(false);
    expect(isLlmError(null)).toBe(false);
  });

  test("keeps the cause and the text of what it wraps", () => {
    const cause = new TypeError("no such thing");
    const error = toLlmError(cause, "provider-internal", { provider: "p" });
    expect(error).toMatchObject({
      code: "provider-internal",
      message: "no such thing",
      provider: "p",
      cause,
    });
  });

  test("fills only what the error does not say itself", () => {
    const own = new LlmError("timeout", "late", { phase: "connect" });
    expect(withDetails(own, { phase: "stream", provider: "p" })).toMatchObject({
      phase: "connect",
      provider: "p",
    });
    expect(withDetails(own, { phase: "stream" })).toBe(own);
  });

  test("says nothing of stack, cause or answer in its JSON", () => {
    const error = new LlmError("timeout", "late", {
      cause: new Error("inner"),
      partial: { text: "private", reasoning: "", toolCalls: [] },
    });
    const json = JSON.stringify(error);
    expect(json).toContain("late");
    expect(json).not.toMatch(/inner|private|stack/);
  });
});

describe("redact", () => {
  test.each([
    ["sk-abcdef123456 was refused", "sk-abcdef123456"],
    ["Authorization: Bearer abc.def-123", "abc.def-123"],
    ['{"api_key":"s3cretvalue"}', "s3cretvalue"],
    ["http://user:hunter22@host/path", "hunter22"],
    ["?token=abcdefgh&x=1", "abcdefgh"],
    ["hf_AbCdEfGhIjK", "hf_AbCdEfGhIjK"],
  ])("hides the secret in %s", (text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(new LlmError("unauthenticated", text, { hint: text }).message).not.toContain(secret);
  });

  test("leaves ordinary sentences alone", () => {
    const text = 'the prompt has 9612 tokens, the window 256; the token "foo" is unknown; basic answers only';
    expect(redact("the prompt has 9612 tokens, the window 256")).toBe(
      "the prompt has 9612 tokens, the window 256",
    );
    expect(redact(text)).toContain("9612");
  });
});

test("every code has a sentence without a full stop, and a retry bit or none", () => {
  for (const [code, { says, retryable }] of Object.entries(ERROR_CODES)) {
    expect(code).toMatch(/^[a-z-]+$/);
    expect(says).toMatch(/^[a-z].*[a-z]$/);
    expect([true, false, undefined]).toContain(retryable);
  }
});
