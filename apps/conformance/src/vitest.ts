import { describe, test } from "vitest";

import { createSession, type TestOptions } from "./run/session.ts";
import type { Subject } from "./subject.ts";

/** A suite of Vitest with one test for each check; what is skipped says why in its name. */
export function testProvider(subject: Subject, options: TestOptions = {}): void {
  const { name, tests } = createSession(subject, options);
  describe(name, () => {
    for (const one of tests) {
      if (one.skipped === undefined) test(one.name, { timeout: one.timeoutMs, retry: 0 }, one.run);
      else test(one.name, (context) => context.skip(one.skipped));
    }
  });
}

export type { TestOptions };
