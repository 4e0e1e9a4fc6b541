import type { Check } from "../check.ts";
import type { Mutant } from "./mutant.ts";

export interface Covered {
  readonly check: string;
  readonly promise: string;
  /** Ids of the mutants that this check fails over. */
  readonly killedBy: readonly string[];
}

/** For each check the mutants that show that it can fail. */
export const coverage = (checks: readonly Check[], mutants: readonly Mutant[]): readonly Covered[] =>
  checks.map(({ id, promise }) => ({
    check: id,
    promise,
    killedBy: mutants.filter(({ kills }) => kills[id] !== undefined).map((mutant) => mutant.id),
  }));

/** The same as Markdown, with what is wrong with each mutant below it. */
export function coverageTable(checks: readonly Check[], mutants: readonly Mutant[]): string {
  const rows = coverage(checks, mutants).map(
    ({ check, promise, killedBy }) => `| ${check} | ${cell(promise)} | ${killedBy.join(", ")} |`,
  );
  const wrong = mutants
    .toSorted((one, other) => numberOf(one) - numberOf(other))
    .map(
      ({ id, wrong: says, kills }) =>
        `| ${id} | ${cell(says)} | ${Object.keys(kills).toSorted().join(", ")} |`,
    );
  return [
    "| check | promise | fails over |",
    "| --- | --- | --- |",
    ...rows,
    "",
    "| mutant | a provider that | is caught by |",
    "| --- | --- | --- |",
    ...wrong,
    "",
  ].join("\n");
}

const numberOf = ({ id }: Mutant): number => Number(id.slice(1));
const cell = (text: string): string => text.replaceAll("|", "\\|");
