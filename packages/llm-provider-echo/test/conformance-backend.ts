import type { Backend, FakeBackend, Scenario, Step } from "@enginehouse/llm-conformance";

const NOTHING_BEHIND = "there is no backend behind echo";
const OWN_COUNT = "echo counts by itself";
const OWN_CALLS = "echo makes calls of its own";
const OWN_MODELS = "echo's models are always there";

/** Echo itself, which a scenario can only give its replies and its window. */
export const echoBackend: FakeBackend = {
  wire: "echo",
  cannot: {
    sockets: NOTHING_BEHIND,
    headers: NOTHING_BEHIND,
    bytes: NOTHING_BEHIND,
    lines: NOTHING_BEHIND,
    cuts: NOTHING_BEHIND,
    "in-band-error": NOTHING_BEHIND,
    malformed: NOTHING_BEHIND,
    "http-status": NOTHING_BEHIND,
    auth: NOTHING_BEHIND,
    version: NOTHING_BEHIND,
    "form-text": "echo makes the value that a schema asks for",
    "slow-text": "echo writes all words at one pace",
    usage: OWN_COUNT,
    "usage-absent": OWN_COUNT,
    "usage-early": OWN_COUNT,
    "usage-cached": OWN_COUNT,
    length: "echo's answers end where the limit of the request is",
    "content-filter": "echo has no filter",
    "raw-reason": "echo has no words of its own for the end",
    "reason-on-calls": OWN_CALLS,
    calls: OWN_CALLS,
    "call-anything": OWN_CALLS,
    "call-fragments": OWN_CALLS,
    "call-ids": OWN_CALLS,
    "call-text": OWN_CALLS,
    "call-terminal": OWN_CALLS,
    "tool-choice": OWN_CALLS,
    reasoning: "echo has a thought of its own",
    "reasoning-tags": "echo has a thought of its own",
    "reasoning-levels": "nobody sees what echo is asked",
    schema: "echo makes the value that a schema asks for",
    options: "nobody sees what echo is asked",
    images: "echo does not look at images",
    truncation: "echo refuses a prompt that does not fit",
    "window-sent": "nobody sees what echo is asked",
    "embed-limit": "echo has one window for both of its models",
    "embed-batch-limit": "echo takes any number of texts",
    "embed-vectors": "echo's vectors are the counts of letters",
    "embed-usage": OWN_COUNT,
    "keep-alive": OWN_MODELS,
    loading: OWN_MODELS,
    pulling: OWN_MODELS,
    parallel: "nobody sees what echo does",
  },
  start: async (scenario) => backendOf(scenario),
};

function backendOf({ chats = [{}], models = [] }: Scenario): Backend {
  const replies = chats.map(({ steps = [{ text: "All is well." }] }) => steps.map(textOf).join(""));
  const last = replies.at(-1) ?? "";
  const window = models.find(({ task }) => task === "chat")?.window;
  return {
    address: "",
    key: undefined,
    models: { chat: "echo", embedding: "letters", rerank: "" },
    // Echo begins again after its last reply; a scenario goes on with it.
    settings: {
      replies: [...replies, ...Array.from({ length: MANY }, () => last)],
      ...(window !== undefined && { contextWindow: window }),
    },
    seen: {
      requests: [],
      openSockets: 0,
      generating: 0,
      mostAtOnce: 0,
      loaded: [],
      async until(when, says) {
        if (!when(this)) throw new Error(`waited for: ${says}; nothing of echo can be seen from outside`);
      },
    },
    close: async () => undefined,
  };
}

/** More than a check asks in a row. */
const MANY = 2_000;

const textOf = (step: Step): string => ("text" in step ? step.text : "");
