import { isLlmError } from "@enginehouse/llm-core";

import type { Check } from "../check.ts";
import { CHECKS } from "../checks/index.ts";
import { inkFor } from "../report/ink.ts";
import { readKit } from "../run/kit.ts";
import { findCheck } from "../run/select.ts";
import { readArguments, USAGE, usageFault } from "./arguments.ts";
import { explainText, listText } from "./catalogue.ts";
import type { ProgressStream } from "./progress.ts";
import { run, widthOf } from "./run.ts";
import { serve } from "./serve.ts";

/** Where the program runs, and whom it speaks to. */
export interface Terminal {
  readonly stdout: ProgressStream;
  readonly stderr: ProgressStream;
  readonly env: NodeJS.ProcessEnv;
  /** The working directory. */
  readonly folder: string;
  readonly date?: Date | undefined;
  /** Ends what would go on for ever. */
  readonly until?: AbortSignal | undefined;
  /** Ends the process when its event loop stands still for so long. Default never. */
  readonly blockedAfterMs?: number | undefined;
  /** Default all of the kit's. */
  readonly checks?: readonly Check[] | undefined;
}

/** 0: green, or told what was asked · 1: not green · 2: not understood. */
export async function main(args: readonly string[], terminal: Terminal): Promise<0 | 1 | 2> {
  const { stdout, stderr, env, checks = CHECKS } = terminal;
  try {
    const { command, words, values } = readArguments(args);
    if (values.version === true) stdout.write(`${readKit().version}\n`);
    else if (values.help === true) stdout.write(USAGE);
    else if (command === "run") return (await run(words, values, terminal)) ? 0 : 1;
    else if (command === "serve") await serve(words, values, terminal);
    else if (command === "list")
      stdout.write(listText(checks, values.group, inkFor(stdout, env), widthOf(stdout)));
    else if (command === "explain") {
      if (words.length === 0) throw usageFault("`explain` needs a check, such as S08");
      const texts = words.map((word) =>
        explainText(findCheck(checks, word), inkFor(stdout, env), widthOf(stdout)),
      );
      stdout.write(texts.join("\n"));
    } else throw usageFault("no command was given");
    return 0;
  } catch (error) {
    stderr.write(faultText(error));
    return 2;
  }
}

/** Without a stack: it is the caller's to repair, and the text says how. */
function faultText(error: unknown): string {
  const hint = isLlmError(error) ? error.hint : undefined;
  return `llm-conformance: ${(error as Error).message}\n${hint === undefined ? "" : `  ${hint}\n`}`;
}
