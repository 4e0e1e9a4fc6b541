/** What differs between servers that speak the dialect, as data: no server is known here by its name. */
export interface Quirks {
  /** The field for the most tokens to generate. */
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  /** The field for the seed; `false`: there is none. */
  readonly seedField: "seed" | "random_seed" | false;
  /** Fields for sampling options that the dialect's author does not have. */
  readonly extraOptions: {
    readonly topK?: string | undefined;
    readonly minP?: string | undefined;
    readonly repeatPenalty?: string | undefined;
  };
  /** Whether `frequency_penalty` and `presence_penalty` are taken. */
  readonly penalties: boolean;
  /** Whether usage in a stream is asked for with `stream_options`. `false`: it comes by itself, or not at all. */
  readonly streamOptions: boolean;
  /** Whether the server tells how far it has read the prompt when asked with `return_progress`. */
  readonly progress: boolean;
  /**
   * How a wish for reasoning is said. `effort`: `reasoning_effort` · `object`: `reasoning: { effort }` ·
   * `template`: `chat_template_kwargs` for the model's own chat template · `false`: not at all.
   */
  readonly reasoning: "effort" | "object" | "template" | false;
  /** The field in which earlier reasoning goes back with an assistant's message; `false`: it is left out, with a warning. */
  readonly reasoningBack: "reasoning_content" | "reasoning" | false;
  /** Whether an answer may begin with thoughts between tags; `opened`: only their end is written. Tags elsewhere are text. */
  readonly thinkTags: boolean | "opened";
  /** Whether `[DONE]` ends an answer that had no `finish_reason`. Otherwise such an answer has been interrupted. */
  readonly doneEnds: boolean;
  /** Whether it is certain that a prompt which does not fit is refused and never cut. */
  readonly refusesOverflow: boolean;
  /** Whether `response_format` may be `json_object`. Otherwise a schema for any object is sent. */
  readonly jsonObject: boolean;
  /** Where Responses is told of the output's form. Servers that pass over `text` may heed Chat Completions' field there, too. */
  readonly responsesFormat: "text" | "response_format";
  /** Whether `tool_choice` may name a tool. Otherwise that tool is the only one sent, and a call is required. */
  readonly namedTool: boolean;
  /** Whether an answer that goes on with an assistant's message begins with the text of that message: it is taken off. */
  readonly repeatsGiven: boolean;
  /** Whether ids of tool calls must be nine letters and digits: others are changed on their way there, and stay what they are here. */
  readonly shortCallIds: boolean;
  /** How the time that a model stays loaded is said: `ttl`, in seconds. */
  readonly keepAlive: "ttl" | false;
  /** Whether vectors are asked for in base64. Either form is read. */
  readonly base64: boolean;
  /** The most texts in one request for embeddings. */
  readonly embedBatch: number;
  /** Whether reasoning comes back encrypted from Responses when asked for, to be sent with the next turn. */
  readonly encryptedReasoning: boolean;
}

/** What is assumed of a server that nothing is known about: what every one of them understands. */
export const PLAIN: Quirks = {
  maxTokensField: "max_tokens",
  seedField: "seed",
  extraOptions: {},
  penalties: true,
  streamOptions: true,
  progress: false,
  reasoning: "effort",
  reasoningBack: false,
  thinkTags: true,
  doneEnds: false,
  refusesOverflow: false,
  jsonObject: true,
  responsesFormat: "text",
  namedTool: true,
  repeatsGiven: false,
  shortCallIds: false,
  keepAlive: false,
  base64: true,
  embedBatch: 512,
  encryptedReasoning: false,
};
