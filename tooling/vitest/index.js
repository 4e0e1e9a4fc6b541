import { availableParallelism } from "node:os";

import { defaultServerConditions } from "vite";
import { defineProject } from "vitest/config";

const conditions = ["@enginehouse/source", ...defaultServerConditions];
const cores = availableParallelism();

/** A Vitest project that takes workspace packages from their sources, so no build is needed before the tests. */
export const project = (name, test = {}) =>
  defineProject({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      include: ["test/**/*.test.ts"],
      typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "./tsconfig.json" },
      // A project takes no number from the root, and by itself but one on two cores. Much here waits: for sockets,
      // children, deadlines.
      maxWorkers: Math.max(3, cores - 1),
      ...test,
    },
  });

/** For tests that wait more than they compute: more of them at once than there are cores, after all others. */
export const waiting = { maxWorkers: 2 * cores + 1, sequence: { groupOrder: 1 } };
