import type { FakeBackend } from "../../backend.ts";
import { httpFake } from "../http-fake.ts";
import { ollamaWire } from "../wires.ts";
import { answerOllama } from "./answer.ts";
import type { OllamaKind } from "./kind.ts";
import { readOllama } from "./read.ts";
import { ollamaRefusal } from "./refusals.ts";

export type { OllamaKind } from "./kind.ts";

/** A server as Ollama has been over time; recordings of both generations are in `fixtures`. */
export const createOllamaFake = (kind: OllamaKind): FakeBackend =>
  httpFake({
    ...ollamaWire(kind),
    read: readOllama,
    refuse: (refusal, exchange) => ollamaRefusal(refusal, exchange, kind),
    answer: (exchange) => answerOllama(exchange, kind),
    nameOf: fullName,
  });

/** Every name has a tag, if only this one. */
export const fullName = (id: string): string => (/:[^/]*$/u.test(id) ? id : `${id}:latest`);

/** The server of today with models that have a template of Ollama's own, as most of its library has. */
export const ollamaFake: FakeBackend = createOllamaFake({ generation: "new", path: "template" });

/** The server of today with models that bring a template inside their file, as those from elsewhere do. */
export const ollamaFakeNative: FakeBackend = createOllamaFake({ generation: "new", path: "native" });

/** The generation before. */
export const ollamaFake013: FakeBackend = createOllamaFake({ generation: "0.13", path: "template" });
