import { describe, test } from "node:test";

import { createSession, type TestOptions } from "./run/session.ts";
import type { Subject } from "./subject.ts";

/** A suite of Node's own test runner with one test for each check; what is skipped says why in its name. */
export function testProvider(subject: Subject, options: TestOptions = {}): void {
  const { name, tests } = createSession(subject, options);
  void describe(name, { concurrency: 1 }, () => {
    for (const one of tests) {
      if (one.skipped === undefined) void test(one.name, { timeout: one.timeoutMs }, one.run);
      else void test(one.name, { skip: one.skipped });
    }
  });
}

export type { TestOptions };
