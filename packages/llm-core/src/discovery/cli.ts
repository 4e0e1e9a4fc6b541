#!/usr/bin/env node
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { isLlmError } from "../errors.ts";
import type { Diagnostic } from "../manifest.ts";
import { discover } from "./discover.ts";
import { generateStaticImports } from "./static-imports.ts";

const USAGE = `enginehouse-plugins --out <file> [--from <file or folder>] [--allow <name>]... [--deny <name>]...

Writes a module that imports the installed provider plugins by name, for an application that is bundled.
  --out    the file to write; one that ends in .ts becomes TypeScript
  --from   a file or folder of the application (default: the working directory)
  --allow  name of a package or id of a provider: no others are used
  --deny   name of a package or id of a provider that is not used

Nothing is written when a dependency is refused: repair it, or deny it.
`;

/** 0: written · 1: a plugin is at fault · 2: not understood. */
async function main(): Promise<0 | 1 | 2> {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      from: { type: "string" },
      allow: { type: "string", multiple: true },
      deny: { type: "string", multiple: true },
      help: { type: "boolean" },
    },
  });
  if (values.help === true || values.out === undefined) {
    process[values.help === true ? "stdout" : "stderr"].write(USAGE);
    return values.help === true ? 0 : 2;
  }
  const found = await discover(values);
  const faults = found.diagnostics.filter(({ status }) => status === "refused" || status === "failed");
  for (const fault of faults) process.stderr.write(`${textOf(fault)}\n`);
  if (faults.length > 0) return 1;
  await writeFile(values.out, generateStaticImports(found, { outFile: values.out }));
  process.stdout.write(`${values.out}: ${found.plugins.map(({ manifest }) => manifest.id).join(", ")}\n`);
  return 0;
}

function textOf({ code, message, hint }: Pick<Diagnostic, "code" | "message" | "hint">): string {
  return [code, ": ", message, hint === undefined ? "" : `\n  ${hint}`].join("");
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${isLlmError(error) ? textOf(error) : `${(error as Error).message}\n\n${USAGE}`}\n`);
  process.exitCode = 2;
}
