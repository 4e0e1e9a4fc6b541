import type { Failed } from "./report.ts";

/** What a person needs of a failure: the promise, what happened, what was seen, why it matters and what to do. */
export function failureText({ id, promise, message, saw, why, fix }: Failed): string {
  return [
    `${id} ${promise}`,
    message,
    ...(saw.length === 0 ? [] : ["", "seen:", ...saw.map((line) => `  ${line}`)]),
    "",
    `why it matters: ${why}`,
    `how to fix it: ${fix}`,
  ].join("\n");
}
