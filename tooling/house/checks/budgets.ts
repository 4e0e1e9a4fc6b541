import type { SourceFile } from "./house.ts";

/** How long a package's sources may be, in lines; and its longest file, where it is not the usual length. */
export interface Budget {
  readonly lines: number;
  readonly longestFile?: number;
  /** Why it has more room than it began with. */
  readonly because?: string;
}

const usualFile = 200;

/** What is over its budget, in sentences. */
export function overBudget(
  folder: string,
  files: readonly SourceFile[],
  budget: Budget | undefined,
): readonly string[] {
  if (budget === undefined) return [`${folder} states no budget in tooling/house/budgets.json`];
  const lengths = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }));
  const total = lengths.reduce((sum, { lines }) => sum + lines, 0);
  const longest = budget.longestFile ?? usualFile;
  const problems = lengths
    .filter(({ lines }) => lines > longest)
    .map(({ path, lines }) => `${path} has ${lines} lines, over the ${longest} of its package`);
  if (total > budget.lines)
    problems.push(`${folder} has ${total} lines of source, over its budget of ${budget.lines}`);
  if (longest > usualFile && budget.because === undefined) {
    problems.push(`${folder} has room for files of ${longest} lines without saying why ("because")`);
  }
  return problems;
}
