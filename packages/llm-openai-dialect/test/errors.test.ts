import { expect, test } from "vitest";

import { errorOfBody, faultOfError, faultOfReply } from "../src/index.ts";

const reply = (error: object): string => JSON.stringify({ error });

test.each([
  [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 10000 tokens. Please reduce the length of the messages.",
    10_000,
    8_192,
  ],
  [
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the messages, 100 in the completion). Please reduce the length of the messages or completion.",
    4_900,
    4_096,
  ],
  [
    "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context length is 4096 tokens and your request has 10 input tokens (5000 > 4096 - 10).",
    10,
    4_096,
  ],
  [
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that `max_model_len` is no smaller than the number of text tokens.",
    5_000,
    4_096,
  ],
  ["The input (5000 tokens) is longer than the model's context length (4096 tokens).", 5_000, 4_096],
  [
    "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of 5000 tokens: 4900 tokens from the input messages and 100 tokens for the completion.",
    4_900,
    4_096,
  ],
  [
    "Trying to keep the first 4657 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
    4_657,
    4_096,
  ],
  [
    "Prompt contains 33000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    33_000,
    32_768,
  ],
  [
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
    5_000,
    4_097,
  ],
  [
    "This endpoint's maximum context length is 131072 tokens. However, you requested about 200000 tokens (199000 of text input, 1000 in the output).",
    200_000,
    131_072,
  ],
])("%s", (message, promptTokens, window) => {
  expect(faultOfReply(400, reply({ message, type: "invalid_request_error" }), "chat")).toMatchObject({
    code: "context-overflow",
    figures: { promptTokens, window },
    retryable: false,
  });
});

test.each([
  "Your input exceeds the context window of this model. Please adjust your input and try again.",
  "The number of tokens to keep from the initial prompt is greater than the context length.",
  "the request exceeds the available context size, try increasing it",
  "the input length exceeds the context length",
])("an overflow without figures is one: %s", (message) => {
  expect(faultOfReply(400, reply({ message }), "chat")).toMatchObject({
    code: "context-overflow",
    figures: {},
  });
});

test("a server that was started without embeddings says how to start it", () => {
  const message = "This server does not support embeddings. Start it with `--embeddings`";
  expect(
    faultOfReply(501, reply({ message, type: "not_supported_error", code: 501 }), "embed"),
  ).toMatchObject({
    code: "unsupported",
    hint: expect.stringContaining("--embeddings"),
  });
});

test("other mistakes are no overflow", () => {
  for (const message of ["max_tokens must be at least 1", "context must be an array", "unknown field"])
    expect(faultOfReply(400, reply({ message }), "chat")).toBeUndefined();
});

test.each([
  [
    429,
    { message: "You exceeded your current quota", type: "insufficient_quota", code: "insufficient_quota" },
    "quota-exhausted",
  ],
  [400, { message: "The model `x` does not exist", code: "model_not_found" }, "model-not-found"],
  [
    400,
    { message: "Unsupported parameter: 'reasoning_effort'", code: "unsupported_parameter" },
    "unsupported",
  ],
  [400, { message: "filtered", code: "content_filter" }, "content-filtered"],
  [500, { message: "CUDA out of memory. Tried to allocate 2 GiB" }, "out-of-memory"],
  [
    400,
    { message: '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set' },
    "unsupported",
  ],
])("%i %o is %s", (status, error, code) => {
  expect(faultOfReply(status, reply(error), "chat")).toMatchObject({ code, status });
});

test("what may be tried again is left to the status", () => {
  for (const status of [429, 500, 502, 503])
    expect(
      faultOfReply(status, reply({ message: "busy", type: "rate_limit_error" }), "chat"),
    ).toBeUndefined();
  expect(faultOfReply(502, "<html><body>Bad gateway</body></html>", "chat")).toBeUndefined();
});

test("errors are found in every usual shape", () => {
  const shapes = [
    '{"error":{"message":"m"}}',
    '{"error":"m"}',
    '{"message":"m"}',
    '{"detail":"m"}',
    '{"object":"error","message":"m"}',
    '{"error":{"message":"{\\"error\\":{\\"message\\":\\"m\\"}}"}}',
  ];
  for (const shape of shapes) expect(errorOfBody(shape)?.message).toBe("m");
  const fields = '{"detail":[{"loc":["body","top_p"],"msg":"too large"},{"loc":["body","n"],"msg":"no"}]}';
  expect(errorOfBody(fields)?.message).toBe("body.top_p: too large; body.n: no");
  for (const none of ["", "[]", "null", "{}", "<html>"]) expect(errorOfBody(none)).toBeUndefined();
});

test("an error without a status goes by its own words", () => {
  const code = (error: { type?: string; code?: string | number }): string =>
    faultOfError({ message: "m", ...error }, { operation: "chat" }).code;
  expect(code({ code: 401 })).toBe("unauthenticated");
  expect(code({ code: "503" })).toBe("unavailable");
  expect(code({ code: 502 })).toBe("unavailable");
  expect(code({ code: 504 })).toBe("timeout");
  expect(code({ code: "408" })).toBe("timeout");
  expect(code({ type: "overloaded_error" })).toBe("unavailable");
  expect(code({ type: "invalid_request_error" })).toBe("invalid-request");
  expect(code({})).toBe("provider-internal");
});

test("an error in a list, and one that is neither text nor object, are errors", () => {
  const listed = JSON.stringify([
    { error: { message: "the model's maximum context length is 5 tokens", code: 400 } },
  ]);
  expect(errorOfBody(listed)).toMatchObject({ code: 400 });
  for (const error of [["boom"], true, 5])
    expect(errorOfBody(reply(error as object))).toMatchObject({ message: JSON.stringify(error) });
  for (const error of [null, false, ""]) expect(errorOfBody(reply(error as never))).toBeUndefined();
});
