import type { JsonObject, Provider } from "@enginehouse/llm-core";

import { REFERENCE_PACKAGE } from "../reference/package.ts";
import { PARTS } from "../reference/parts.ts";
import { events, inside, listOf, mutant, outside, part, sent, textIn } from "./making.ts";
import type { Mutant } from "./mutant.ts";

export const CAPABILITY_MUTANTS: readonly Mutant[] = [
  mutant(
    "M21",
    "joins the stop texts",
    options(({ stop, ...rest }) => (Array.isArray(stop) ? { ...rest, stop: stop.join(" ") } : rest)),
    { K02: /stop was asked for and dropped/, K06: /stop .* reached the backend as "END/ },
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
    {
      K04: /the request was/,
      K05: /object is not extensible/,
      K10: /what stream was given has changed/,
      R07: /what stream was given has changed/,
      T09: /what stream was given has changed/,
    },
  ),
  mutant(
    "M35",
    "has a method that no manifest declares",
    outside(() => ({ chat: () => undefined }) as Partial<Provider>),
    { K01: /not of the contract: chat/ },
  ),
  mutant(
    "M211",
    "declares an operation and has no method for it",
    {
      outside({ rerank: _, ...provider }) {
        return provider;
      },
    },
    { E12: /no rerank/, K01: /declared, and not there: rerank/ },
  ),
  mutant(
    "M212",
    "drops an option in silence",
    options(({ topK: _, ...rest }) => rest),
    { K02: /topK was asked for and dropped/, K06: /topK 11 reached the backend as "nothing"/ },
  ),
  mutant(
    "M213",
    "reads the options of all providers",
    sent(
      (body, { providerOptions = {} }) =>
        Object.assign({}, body, ...Object.values(providerOptions)) as JsonObject,
    ),
    { K03: /options of another provider changed the request/ },
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
    { K05: /Cannot assign to read only property/ },
  ),
  mutant(
    "M215",
    "takes a temperature of 0 for none",
    options(({ temperature, ...rest }) =>
      temperature === 0 || temperature === undefined ? rest : { ...rest, temperature },
    ),
    { K06: /temperature 0 reached the backend as "nothing"/ },
  ),
  mutant("M216", "lets as many calls run as come", part({ createPlaces: () => PARTS.createPlaces(100) }), {
    K07: /the backend saw 5 generations at once/,
  }),
  mutant(
    "M217",
    "lets one call run at a time",
    part({ createPlaces: (count) => PARTS.createPlaces(count === Number.POSITIVE_INFINITY ? count : 1) }),
    { K07: /the backend never saw two/ },
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
    { K08: /expected unsupported, seen an answer/, P03: /the manifest's json-schema, reasoning, tools/ },
  ),
  mutant(
    "M219",
    "leaves images out",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map(({ images: _, ...message }) => message),
    })),
    { K08: /vision is declared;/, K09: /2 image\(s\) were sent with one message; the backend saw 0/ },
  ),
  mutant(
    "M220",
    "trims what users write",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map((message) => ({
        ...message,
        text: textIn(message["text"]).trim(),
      })),
    })),
    { K10: /message 1 \(system\) was .*; the backend saw "Indent by two\."/ },
  ),
  mutant(
    "M221",
    "answers in the name of another model",
    events(() => (event) => [event.type === "start" ? { ...event, model: "default" } : event]),
    { K11: /the answer says it is from default/, L03: /the answer says it is from default/ },
  ),
];

/** The sampling options of a chat, changed on their way. */
function options(change: (options: JsonObject) => JsonObject) {
  return sent((body) => ({ ...body, options: change((body["options"] ?? {}) as JsonObject) }));
}
