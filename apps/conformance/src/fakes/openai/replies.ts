import type { ModelTask } from "@enginehouse/llm-core";

import type { ModelScript } from "../../scenario.ts";
import type { Exchange } from "../http-fake.ts";
import { wordsOfMessages } from "../words.ts";
import type { OpenaiKind } from "./kind.ts";
import { errorBody } from "./refusals.ts";
import type { Trouble } from "./refusals.ts";

export const refuse = (
  exchange: Exchange,
  status: number,
  trouble: Trouble,
  kind: OpenaiKind,
): Promise<void> => exchange.send(status, errorBody(status, trouble, kind));

/** A server with one model does not look at the name. */
export const modelFor = (
  { house, asked }: Exchange,
  kind: OpenaiKind,
  task: ModelTask,
): ModelScript | undefined => {
  const named = house.find(asked.model);
  if (named !== undefined || kind !== "llama-server") return named;
  return house.models.find((model) => model.task === task) ?? house.models[0];
};

export const countInput = ({ asked, send }: Exchange): Promise<void> =>
  send(200, { input_tokens: wordsOfMessages(asked.messages), object: "response.input_tokens" });
