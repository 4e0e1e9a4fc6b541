import { createThoughts } from "../reference/thoughts.ts";
import { events, listOf, mutant, part, sent, textIn } from "./making.ts";
import type { Mutant } from "./mutant.ts";

export const REASONING_MUTANTS: readonly Mutant[] = [
  mutant(
    "M18",
    "drops thoughts",
    events(() => (event) => (event.type.startsWith("reasoning") ? [] : [event])),
    {
      R01: /seen \{"reasoning":""/,
      R02: /in pieces of 1; seen \{"reasoning":""/,
      R05: /the backend only thought, up to its limit/,
    },
  ),
  mutant(
    "M19",
    "looks for tags of thoughts in each piece by itself",
    part({
      createThoughts: () => ({
        add(text) {
          const found = /^<think>([\s\S]*)<\/think>([\s\S]*)$/.exec(text);
          if (found === null) return [{ thought: false, text }];
          const [, thought = "", rest = ""] = found;
          return [
            { thought: true, text: thought },
            { thought: false, text: rest },
          ];
        },
        end: () => [],
      }),
    }),
    { R02: /in pieces of 1; seen \{"reasoning":""/ },
  ),
  mutant(
    "M151",
    "leaves the wish for no thinking out",
    sent(({ think, ...body }) => (think === undefined || think === "none" ? body : { ...body, think })),
    { R03: /reasoning none was asked for; the backend saw "nothing of it"/ },
  ),
  mutant(
    "M152",
    "takes tags of thoughts out wherever they stand",
    part({
      createThoughts() {
        const thoughts = createThoughts();
        const clean = (said: ReturnType<typeof thoughts.end>): ReturnType<typeof thoughts.end> =>
          said.map(({ thought, text }) => ({ thought, text: text.replaceAll(/<\/?think>/g, "") }));
        return { add: (text) => clean(thoughts.add(text)), end: () => clean(thoughts.end()) };
      },
    }),
    { R04: /seen "Write  before/ },
  ),
  mutant(
    "M153",
    "takes thoughts for the answer where there is no other",
    events(() => {
      let thought = "";
      let answered = false;
      return (event) => {
        if (event.type === "reasoning-delta") thought += event.text;
        if (event.type === "text-delta" || event.type === "tool-call") answered = true;
        if (event.type !== "finish" || answered || thought === "") return [event];
        const id = "answer";
        return [
          { type: "text-start", id },
          { type: "text-delta", id, text: thought },
          { type: "text-end", id },
          event,
        ];
      };
    }),
    { R05: /the backend only thought, up to its limit/ },
  ),
  mutant(
    "M154",
    "knows one level of thinking",
    sent((body) => ({
      ...body,
      ...(body["think"] !== undefined && body["think"] !== "none" && { think: "medium" }),
    })),
    { R06: /reasoning low was asked for; the backend saw "medium"/ },
  ),
  mutant(
    "M155",
    "sends earlier thoughts as part of the text",
    sent((body) => ({
      ...body,
      messages: listOf(body["messages"]).map(({ reasoning, text, ...message }) => ({
        ...message,
        text: textIn(reasoning) + textIn(text),
      })),
    })),
    { R07: /the backend saw .*Blue\.Blue\.|the backend saw .*one\.Blue\./ },
  ),
];
