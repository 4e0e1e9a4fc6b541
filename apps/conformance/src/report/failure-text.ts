import type { Failed } from "./report.ts";

/** What a person needs of a failure: the promise, what happened, what was seen, why it matters, and its likely cause. */
export function failureText({ id, promise, message, saw, why, fix }: Failed): string {
  return [
    `${id} ${promise}`,
    message,
    ...(saw.length === 0 ? [] : ["", "seen:", ...saw.map((line) => `  ${line}`)]),
    "",
    `why it matters: ${why}`,
    `likely cause and fix: ${fix}`,
  ].join("\n");
}
