import type { FakeBackend } from "../backend.ts";
import type { OllamaKind } from "./ollama/kind.ts";
import type { OpenaiKind } from "./openai/kind.ts";

/** What a wire is called, and what it has no words for: a report can be judged by it, without the fake. */
export type Wire = Pick<FakeBackend, "wire" | "cannot">;

export const plainWire: Wire = { wire: "plain", cannot: {} };

export const ollamaWire = ({ generation }: Pick<OllamaKind, "generation">): Wire => ({
  wire: "ollama",
  cannot: {
    ...(generation === "0.13" ? { "reasoning-levels": "Ollama 0.13 knows thinking only as on and off" } : {}),
    "usage-early": "Ollama tells its counts in the last piece",
    "usage-cached": "Ollama counts cached tokens with the others",
    "content-filter": "Ollama has no filter, and no word for one",
    "call-fragments": "Ollama sends a call whole",
    "call-text": "Ollama sends arguments as an object",
    "tool-choice": "Ollama has no tool_choice",
    "embed-batch-limit": "Ollama takes any number of texts",
  },
});

const OPENAI_CANNOT: FakeBackend["cannot"] = {
  "usage-early": "the API tells its counts at the end",
  "window-sent": "the API has no field for the window",
  "keep-alive": "the API has no field for the time a model stays loaded",
  loading: "the API loads models by itself and says nothing of it",
  pulling: "the API brings no models",
};

const OPENAI_CANNOT_OF: Readonly<Record<OpenaiKind, FakeBackend["cannot"]>> = {
  openai: {
    version: "the API tells no version",
    truncation: "the API refuses a prompt that does not fit",
  },
  "llama-server": {
    truncation: "llama-server refuses a prompt that does not fit",
    "content-filter": "llama-server has no filter",
    "reasoning-levels": "llama-server knows thinking as on and off",
  },
  ollama: {
    version: "the API tells no version",
    "in-band-error": "Ollama turns an error into an empty piece here",
    "usage-cached": "Ollama counts cached tokens with the others",
    "content-filter": "Ollama has no filter",
    "call-fragments": "Ollama sends a call whole",
    "call-text": "Ollama reads arguments before it sends them",
    "tool-choice": "Ollama ignores tool_choice",
  },
};

export const openaiWire = (kind: OpenaiKind): Wire => ({
  wire: kind === "openai" ? "openai" : `openai (${kind})`,
  cannot: { ...OPENAI_CANNOT, ...OPENAI_CANNOT_OF[kind] },
});

export const lmstudioWire: Wire = {
  wire: "lmstudio",
  cannot: {
    bytes: "a frame of a WebSocket is whole",
    lines: "a frame of a WebSocket is one message",
    malformed: "LM Studio's client passes over a packet that it does not know",
    "http-status": "a WebSocket has no status for a request",
    "usage-early": "LM Studio tells its counts at the end",
    "usage-cached": "LM Studio tells no cached tokens",
    "content-filter": "LM Studio has no filter",
    "raw-reason": "LM Studio's client knows a closed set of reasons",
    "call-fragments": "LM Studio makes one call after the other, and its client hands each out whole",
    "call-text": "LM Studio sends arguments as an object",
    "call-terminal": "LM Studio ends every call before the answer",
    "reasoning-levels": "LM Studio has no levels",
    "embed-limit": "LM Studio cuts a text that is too long",
    "embed-batch-limit": "LM Studio takes one text for each call",
    "embed-usage": "LM Studio tells no tokens of embedded texts",
    "keep-alive": "LM Studio takes the time when it loads a model, and not with a chat",
  },
};

/** All of the kit's own. */
export const OWN_WIRES: readonly Wire[] = [
  plainWire,
  ollamaWire({ generation: "new" }),
  ollamaWire({ generation: "0.13" }),
  openaiWire("openai"),
  openaiWire("llama-server"),
  openaiWire("ollama"),
  lmstudioWire,
];
