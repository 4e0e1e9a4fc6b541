import type { FakeBackend } from "../../backend.ts";
import { hasBearer, httpFake } from "../http-fake.ts";
import { openaiWire } from "../wires.ts";
import { answerOpenai } from "./answer.ts";
import type { OpenaiKind } from "./kind.ts";
import { readOpenai } from "./read.ts";
import { openaiRefusal } from "./refusals.ts";

export type { OpenaiKind } from "./kind.ts";

/** One protocol, told by servers that differ. The address is without `/v1`. */
export const createOpenaiFake = (kind: OpenaiKind): FakeBackend =>
  httpFake({
    ...openaiWire(kind),
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
