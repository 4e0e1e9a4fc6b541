import { inspect } from "node:util";

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

  test("hides secrets of its causes, of whatever form, where it is printed", () => {
    const inner = Object.assign(new Error("refused: Bearer abc.def-123"), {
      headers: { authorization: "Bearer abc.def-123", "x-api-key": "plain-value-9" },
      config: new Map([["apiKey", "plain-value-9"]]),
    });
    const outer = new Error("fetch failed for http://user:hunter22@host", { cause: inner });
    const error = new LlmError("unauthenticated", "refused", {
      cause: outer,
      hint: "check the key",
      provider: "p",
    });
    for (const printed of [
      inspect(error),
      inspect(error, { depth: 9 }),
      inspect({ error }),
      String(error),
      error.stack,
    ]) {
      expect(printed).toContain("refused");
      expect(printed).not.toMatch(/abc\.def-123|plain-value-9|hunter22/);
    }
    expect(inspect(error)).toMatch(/code: 'unauthenticated'[\s\S]*fetch failed/);
    expect(error.cause).toBe(outer);
  });

  test("of a newer copy, with a code that this one does not know, can be given details", () => {
    const foreign = Object.defineProperty(
      Object.assign(new Error("new"), { code: "brand-new" }),
      Symbol.for("enginehouse.llm-error"),
      { value: true },
    );
    expect(toLlmError(foreign, "provider-internal", { provider: "p" })).toMatchObject({
      code: "brand-new",
      provider: "p",
      message: "new",
    });
  });

  test("can be made of anything that was thrown", () => {
    for (const thrown of [
      undefined,
      null,
      0,
      "text",
      Symbol("s"),
      Object.create(null),
      { message: 1 },
      new Error(""),
    ])
      expect(toLlmError(thrown, "provider-internal").message).not.toBe("");
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
    ["http://host/v1?key=AbCd1234EfGh&x=1", "AbCd1234EfGh"],
    ["GET /v1?alt=sse&client_secret=abcdef12", "abcdef12"],
    ["refresh_token=abcdef12", "abcdef12"],
    ["x-api-key: my-own-key-1", "my-own-key-1"],
    ["AIzaSyA1234567890abcdefghijklmnopqrstuv was refused", "AIzaSyA1234567890abcdefghijklmnopqrstuv"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl expired", "c2lnbmF0dXJl"],
    ["AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"],
    ["github_pat_11ABCDEFG0abcdefgh", "11ABCDEFG0abcdefgh"],
    ["https://my-token-123@host/path", "my-token-123"],
    ["https://:hunter22@host/path", "hunter22"],
    ["Cookie: session=abcdef123; other=ghijkl456", "ghijkl456"],
    ["Incorrect API key provided: house-key-1234.", "house-key-1234"],
    ['{\\"apiKey\\":\\"abcdef123\\"}', "abcdef123"],
    ["Authorization: Token abcdef123", "abcdef123"],
    ["Headers { authorization: [ 'Basic dXNlcjpwYXNz' ] }", "dXNlcjpwYXNz"],
  ])("hides the secret in %s", (text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(new LlmError("unauthenticated", text, { hint: text }).message).not.toContain(secret);
  });

  test("takes a time that grows with the text, not with its square", () => {
    const began = performance.now();
    for (const unit of [" ", "a:", "://a", "bearer ", "sk-", "token", "eyJ", "key=", "a@"])
      redact(unit.repeat(200_000));
    expect(performance.now() - began).toBeLessThan(5_000);
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
