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
    {},
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
    {},
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
    {},
  ),
  mutant(
    "M85",
    "tells no counts with a stream",
    finishes(() => ({ usage: { inputTokens: undefined, outputTokens: undefined } })),
    {},
  ),
  mutant("M14", "always says stop", part({ finishOf: (raw) => ({ unified: "stop", raw }) }), {}),
  mutant(
    "M86",
    "takes a word that it does not know for stop",
    part({
      finishOf(raw, calls) {
        const { unified } = PARTS.finishOf(raw, calls);
        return { unified: unified === "other" ? "stop" : unified, raw };
      },
    }),
    {},
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
    {},
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
    {},
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
    {},
  ),
];
