import type { FakeBackend } from "../../backend.ts";
import { hasBearer, httpFake } from "../http-fake.ts";
import { answerOpenai } from "./answer.ts";
import type { OpenaiKind } from "./kind.ts";
import { readOpenai } from "./read.ts";
import { openaiRefusal } from "./refusals.ts";

export type { OpenaiKind } from "./kind.ts";

const CANNOT: FakeBackend["cannot"] = {
  "usage-early": "the API tells its counts at the end",
  "window-sent": "the API has no field for the window",
  "keep-alive": "the API has no field for the time a model stays loaded",
  loading: "the API loads models by itself and says nothing of it",
  pulling: "the API brings no models",
};

const CANNOT_OF: Readonly<Record<OpenaiKind, FakeBackend["cannot"]>> = {
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

/** One protocol, told by servers that differ. The address is without `/v1`. */
export const createOpenaiFake = (kind: OpenaiKind): FakeBackend =>
  httpFake({
    wire: kind === "openai" ? "openai" : `openai (${kind})`,
    cannot: { ...CANNOT, ...CANNOT_OF[kind] },
    read: readOpenai,
    refuse: (refusal, exchange) => openaiRefusal(refusal, exchange, kind),
    answer: (exchange) => answerOpenai(exchange, kind),
    admits: (exchange, key) =>
      (kind === "llama-server" && exchange.path === "/health") || hasBearer(exchange, key),
  });

/** What the protocol was made for. */
export const openaiFake: FakeBackend = createOpenaiFake("openai");

/** llama.cpp's server, with all that it says besides; recordings are in `fixtures`. */
export const llamaServerFake: FakeBackend = createOpenaiFake("llama-server");

/** The `/v1` of Ollama; recordings are in `fixtures`. */
export const ollamaV1Fake: FakeBackend = createOpenaiFake("ollama");
