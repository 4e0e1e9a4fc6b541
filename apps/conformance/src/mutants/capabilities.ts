import type { JsonObject, Provider } from "@enginehouse/llm-core";

import { REFERENCE_PACKAGE } from "../reference/package.ts";
import { PARTS } from "../reference/parts.ts";
import { events, inside, listOf, mutant, outside, part, sent } from "./making.ts";
import type { Mutant } from "./mutant.ts";

export const CAPABILITY_MUTANTS: readonly Mutant[] = [
  mutant(
    "M21",
    "joins the stop texts",
    options(({ stop, ...rest }) => (Array.isArray(stop) ? { ...rest, stop: stop.join(" ") } : rest)),
    {},
  ),
  mutant(
    "M32",
    "writes notes into the messages of its caller",
    inside(({ stream }) => ({
      stream(request, given) {
        for (const { role, content } of request.messages) {
          if (role !== "assistant" || typeof content === "string") continue;
          for (const part of content) Object.assign(part, { providerData: { seen: true } });
        }
        return stream(request, given);
      },
    })),
    {},
  ),
  mutant(
    "M35",
    "has a method that no manifest declares",
    outside(() => ({ chat: () => undefined }) as Partial<Provider>),
    {},
  ),
  mutant(
    "M211",
    "declares an operation and has no method for it",
    {
      outside({ rerank: _, ...provider }) {
        return provider;
      },
    },
    {},
  ),
  mutant(
    "M212",
    "drops an option in silence",
    options(({ topK: _, ...rest }) => rest),
    {},
  ),
  mutant(
    "M213",
    "reads the options of all providers",
    sent(
      (body, { providerOptions = {} }) =>
        Object.assign({}, body, ...Object.values(providerOptions)) as JsonObject,
    ),
    {},
  ),
  mutant(
    "M214",
    "cannot take what is frozen",
    inside(({ stream }) => ({
      stream(request, given) {
        Object.assign(request.messages.at(-1) ?? {}, { role: request.messages.at(-1)?.role });
        return stream(request, given);
      },
    })),
    {},
  ),
  mutant(
    "M215",
    "takes a temperature of 0 for none",
    options(({ temperature, ...rest }) =>
      temperature === 0 || temperature === undefined ? rest : { ...rest, temperature },
    ),
    {},
  ),
  mutant("M216", "lets as many calls run as come", part({ createPlaces: () => PARTS.createPlaces(100) }), {}),
  mutant(
    "M217",
    "lets one call run at a time",
    part({ createPlaces: (count) => PARTS.createPlaces(Math.min(count, 1)) }),
    {},
  ),
  mutant(
    "M218",
    "passes on what its manifest does not declare",
    {
      package: {
        ...REFERENCE_PACKAGE,
        content: {
          ...REFERENCE_PACKAGE.content,
          llmProvider: {
            ...(REFERENCE_PACKAGE.content["llmProvider"] as object),
            features: ["tools", "json-schema", "reasoning"],
          },
        },
      },
    },
    {},
  ),
  mutant(
    "M219",
    "leaves images out",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map(({ images: _, ...message }) => message),
    })),
    {},
  ),
  mutant(
    "M220",
    "trims what users write",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map((message) => ({
        ...message,
        text: String(message["text"]).trim(),
      })),
    })),
    {},
  ),
  mutant(
    "M221",
    "answers in the name of another model",
    events(() => (event) => [event.type === "start" ? { ...event, model: "default" } : event]),
    {},
  ),
];

/** The sampling options of a chat, changed on their way. */
function options(change: (options: JsonObject) => JsonObject) {
  return sent((body) => ({ ...body, options: change((body["options"] ?? {}) as JsonObject) }));
}
