// The page about errors, made from the core's own table. `pnpm docs:errors` writes it; a test holds the two together.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { ERROR_CODES } from "@enginehouse/llm-core";

import { root } from "./house.ts";

type Table = Readonly<Record<string, { readonly retryable: boolean | undefined; readonly says: string }>>;

export const errorPage = "docs/errors.md";

/** The whole page for a table of codes. */
export function pageOfErrors(codes: Table): string {
  const rows = Object.entries(codes).map(([code, { retryable, says }]) => [
    `\`${code}\``,
    says,
    again(retryable),
  ]);
  const heads = ["code", "what happened", "may I try again?"];
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [
    "# Errors",
    "",
    "<!-- Made by `pnpm docs:errors` from the table in packages/llm-core/src/errors.ts. -->",
    "",
    "Everything that goes wrong is an `LlmError` with one of these codes. The last column is what holds for the code;",
    "`retryable` on the error itself says it for the case at hand, and `retryAfterMs` how long to wait where that is known.",
    "",
    line(heads),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
    "",
  ].join("\n");
}

function again(retryable: boolean | undefined): string {
  if (retryable === undefined) return "not known";
  return retryable ? "yes" : "no";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, errorPage), pageOfErrors(ERROR_CODES));
  console.log(`wrote ${errorPage}`);
}
