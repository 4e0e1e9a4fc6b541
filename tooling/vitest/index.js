import { defaultServerConditions } from "vite";
import { defineProject } from "vitest/config";

const conditions = ["@enginehouse/source", ...defaultServerConditions];

/** A Vitest project that takes workspace packages from their sources, so no build is needed before the tests. */
export const project = (name, test = {}) =>
  defineProject({
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      include: ["test/**/*.test.ts"],
      typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "./tsconfig.json" },
      ...test,
    },
  });
