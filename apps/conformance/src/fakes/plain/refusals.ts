import type { JsonObject } from "@enginehouse/llm-core";

import type { Refusal } from "../../scenario.ts";
import type { Exchange } from "../http-fake.ts";

const BY_STATUS: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ["invalid", "the request is not one"],
  401: ["unauthorized", "the key is missing or wrong"],
  403: ["forbidden", "this key may not do that"],
  404: ["model-missing", "there is no such model"],
  429: ["busy", "too many requests"],
  500: ["broken", "something went wrong in here"],
  503: ["unavailable", "not ready yet"],
};

const BECAUSE: Readonly<Record<NonNullable<Refusal["because"]>, string>> = {
  "model-missing": "there is no such model",
  overflow: "the prompt does not fit the window",
  "too-long": "a text is longer than the model reads",
  "out-of-memory": "the model needs more memory than there is",
  "output-cut": "a call was cut by maxTokens",
};

/** The body of a refusal, in the words of this protocol. */
export const plainRefusal = (refusal: Refusal, exchange: Pick<Exchange, "asked">): JsonObject => {
  const [code, message] = BY_STATUS[refusal.status] ?? ["broken", `status ${refusal.status}`];
  const { because } = refusal;
  const model = exchange.asked.model;
  return {
    error: {
      code: because ?? code,
      message: refusal.message ?? (because === undefined ? message : BECAUSE[because]),
      ...(model === undefined ? {} : { model }),
    },
  };
};
