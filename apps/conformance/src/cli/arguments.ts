import { parseArgs, type ParseArgsConfig } from "node:util";

import { LlmError } from "@enginehouse/llm-core";

import { near } from "../run/near.ts";

/** What was written on the command line is wrong: exit code 2. */
export const usageFault = (message: string, hint = "`llm-conformance --help` says what there is"): LlmError =>
  new LlmError("invalid-request", message, { hint });

const OPTIONS = {
  only: { type: "string", multiple: true },
  seed: { type: "string" },
  json: { type: "string" },
  junit: { type: "string" },
  markdown: { type: "string" },
  badge: { type: "string" },
  live: { type: "string" },
  model: { type: "string" },
  "embedding-model": { type: "string" },
  "embedding-url": { type: "string" },
  "key-env": { type: "string" },
  group: { type: "string" },
  port: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const satisfies ParseArgsConfig["options"];

export type OptionName = keyof typeof OPTIONS;
export type Values = ReturnType<typeof parse>["values"];

export const COMMANDS: Readonly<Record<string, readonly OptionName[]>> = {
  run: [
    "only",
    "seed",
    "json",
    "junit",
    "markdown",
    "badge",
    "live",
    "model",
    "embedding-model",
    "embedding-url",
    "key-env",
  ],
  list: ["group"],
  explain: [],
  serve: ["port"],
};

export interface Arguments {
  readonly command: string | undefined;
  readonly words: readonly string[];
  readonly values: Values;
}

/** Throws a usage fault for anything that is not understood, with what may have been meant. */
export function readArguments(args: readonly string[]): Arguments {
  const unknown = args.find((arg) => arg.startsWith("-") && arg !== "-" && !isOption(arg));
  if (unknown !== undefined) throw noSuch("option", unknown.split("=", 1)[0] ?? unknown, names());
  const { values, positionals } = parsed(args);
  const [command, ...words] = positionals;
  if (command === undefined) return { command, words, values };
  const allowed = COMMANDS[command];
  if (allowed === undefined) throw noSuch("command", command, Object.keys(COMMANDS));
  const strange = Object.keys(values).find(
    (name) => name !== "help" && name !== "version" && !allowed.includes(name as OptionName),
  );
  if (strange !== undefined) throw usageFault(`\`${command}\` takes no --${strange}`);
  return { command, words, values };
}

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });

function parsed(args: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    throw usageFault((error as Error).message.split(". ", 1)[0] ?? "");
  }
}

const names = (): readonly string[] => Object.keys(OPTIONS).map((name) => `--${name}`);

const isOption = (arg: string): boolean =>
  /^-[hv]+$/.test(arg) || names().includes(arg.split("=", 1)[0] ?? "");

function noSuch(kind: string, word: string, known: readonly string[]): LlmError {
  const meant = near(word, known);
  return usageFault(
    `there is no ${kind} "${word}"`,
    meant.length === 0 ? undefined : `did you mean ${meant.join(" or ")}?`,
  );
}

export const USAGE = `llm-conformance run [subject]   runs the checks over a provider and prints a report
  subject            a file whose default export is a subject
                     (default: conformance.subject.ts, .mts, .js or .mjs in this folder)
  --only S08,A       only these checks and groups; can be repeated
  --seed N           gives the run of that seed again
  --json FILE        also writes the report as JSON,
  --junit FILE       as JUnit XML,
  --markdown FILE    as a page,
  --badge FILE       and as a badge for shields.io
  --live URL         looks also at the shapes of a real backend's answers, in a section of its own
    --model NAME             its model
    --embedding-model NAME   its model for embeddings,
    --embedding-url URL      where a server of its own has it
    --key-env NAME           the environment variable that holds its key

llm-conformance list [--group S]    names every check and its promise
llm-conformance explain S08         says what a check promises, why, and how to fix the usual failures
llm-conformance serve [wire]        a server to talk to by hand: plain (default), ollama or openai
  --port N           where it listens (default: 8700)
llm-conformance --version

Exit codes: 0 green, 1 not green, 2 not understood.
`;
