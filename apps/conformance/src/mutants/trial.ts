import type { Check } from "../check.ts";
import { runChecks } from "../run/run-checks.ts";
import { checksFor } from "./checks.ts";
import type { Mutant } from "./mutant.ts";

/** What is not as the mutant says: nothing, when it dies by exactly its checks, each with its message. */
export async function tryMutant(
  { id, kills, subject }: Mutant,
  checks?: readonly Check[],
): Promise<readonly string[]> {
  const made = subject();
  const { results } = await runChecks(made, { checks: checks ?? checksFor(made), seed: 1 });
  const failed = new Map(
    results.flatMap((result) => (result.verdict === "failed" ? [[result.id, result.message] as const] : [])),
  );
  const alive = Object.keys(kills).filter((check) => !failed.has(check));
  const faults = alive.map((check) => `${check} does not fail over ${id}`);
  for (const [check, message] of failed) {
    const expected = kills[check];
    if (expected === undefined) faults.push(`${check} fails over ${id}, too: ${message}`);
    else if (!expected.test(message))
      faults.push(`${check} fails over ${id} with another message: ${message}`);
  }
  return faults;
}
