import type { FinishEvent } from "@enginehouse/llm-core";

import { PARTS } from "../reference/parts.ts";
import type { SubjectChanges } from "../reference/subject.ts";
import { events, mutant, part } from "./making.ts";
import type { Mutant } from "./mutant.ts";

/** The finish of every answer, changed. */
const finishes = (change: (finish: FinishEvent) => Partial<FinishEvent>): SubjectChanges =>
  events(() => (event) => [event.type === "finish" ? { ...event, ...change(event) } : event]);

const sum = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : one + other;

export const USAGE_MUTANTS: readonly Mutant[] = [
  mutant(
    "M12",
    "adds up counts that were sums already",
    part({
      usageOf(told, before) {
        const { inputTokens, outputTokens, ...more } = PARTS.usageOf(told, undefined);
        return {
          ...more,
          inputTokens: sum(before?.inputTokens, inputTokens),
          outputTokens: sum(before?.outputTokens, outputTokens),
        };
      },
    }),
    { U01: /the backend told 1234 tokens of input, the usage says 2468/ },
  ),
  mutant(
    "M13",
    "takes characters for tokens",
    events(() => {
      let characters = 0;
      return (event) => {
        if (event.type === "text-delta") characters += event.text.length;
        return [
          event.type === "finish" && event.usage.outputTokens !== undefined
            ? { ...event, usage: { ...event.usage, outputTokens: characters } }
            : event,
        ];
      };
    }),
    {
      U01: /the backend told 567 tokens of output, the usage says 19/,
      U09: /50 tokens of output, 20 of them reasoning, and outputTokens is 19/,
    },
  ),
  mutant(
    "M11",
    "says 0 for counts that it does not know",
    part({
      usageOf(told, before) {
        const { inputTokens = 0, outputTokens = 0, ...more } = PARTS.usageOf(told, before);
        return { ...more, inputTokens, outputTokens };
      },
    }),
    { U02: /the backend told no counts, and inputTokens is 0/ },
  ),
  mutant(
    "M85",
    "tells no counts with a stream",
    finishes(() => ({ usage: { inputTokens: undefined, outputTokens: undefined } })),
    {
      U01: /the backend told 1234 tokens of input, the usage says undefined/,
      U03: /the backend told 21 and 4 tokens, the stream's finish says/,
      U09: /100 tokens of input, 60 of them cached, and inputTokens is/,
      X09: /countTokens says 44, the backend counted undefined for the same/,
    },
  ),
  mutant("M14", "always says stop", part({ finishOf: (raw) => ({ unified: "stop", raw }) }), {
    U04: /the finish says stop \(the backend's word: length\), not length/,
    U05: /the finish says stop \(the backend's word: stop\), not tool-calls/,
    U06: /the finish says stop \(the backend's word: moonrise\), not other/,
    U07: /the finish says stop \(the backend's word: filter\), not/,
    X06: /an answer of 124 words in a window of 128 ended with stop and/,
    T01: /an answer with a call must finish with tool-calls; seen/,
    J05: /the output was cut by the limit; the error says: the output is/,
    R05: /the backend only thought, up to its limit; seen/,
  }),
  mutant(
    "M86",
    "takes a word that it does not know for stop",
    part({
      finishOf(raw, calls) {
        const { unified } = PARTS.finishOf(raw, calls);
        return { unified: unified === "other" ? "stop" : unified, raw };
      },
    }),
    { U06: /the finish says stop \(the backend's word: moonrise\), not other/ },
  ),
  mutant(
    "M87",
    "takes the end that a filter made for other",
    part({
      finishOf(raw, calls) {
        const { unified } = PARTS.finishOf(raw, calls);
        return { unified: unified === "content-filter" ? "other" : unified, raw };
      },
    }),
    { U07: /the finish says other \(the backend's word: filter\), not/ },
  ),
  mutant(
    "M88",
    "forgets the counts of an answer that broke off",
    part({
      createDecoder(request, parts, window) {
        const decoder = PARTS.createDecoder(request, parts, window);
        return {
          ...decoder,
          partial() {
            const partial = decoder.partial();
            return partial && { ...partial, usage: undefined };
          },
        };
      },
    }),
    { U08: /33 tokens of input had been told, the error's partial answer/ },
  ),
  mutant(
    "M89",
    "does not count cached tokens as input",
    finishes(({ usage }) => ({
      usage: {
        ...usage,
        inputTokens:
          usage.inputTokens === undefined ? undefined : usage.inputTokens - (usage.cachedInputTokens ?? 0),
      },
    })),
    { U09: /100 tokens of input, 60 of them cached, and inputTokens is 40/ },
  ),
];
