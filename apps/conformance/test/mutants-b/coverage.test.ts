import { expect, test } from "vitest";

import { CHECKS } from "../../src/checks/index.ts";
import { coverage } from "../../src/mutants/coverage.ts";
import { MUTANTS } from "../../src/mutants/index.ts";

test("every check fails over at least one mutant", () => {
  const unproven = coverage(CHECKS, MUTANTS).filter(({ killedBy }) => killedBy.length === 0);
  expect(unproven.map(({ check, promise }) => `${check} ${promise}`)).toEqual([]);
});

test("mutants have ids of their own, and name checks that there are", () => {
  const ids = MUTANTS.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  const known = new Set(CHECKS.map(({ id }) => id));
  const named = MUTANTS.flatMap(({ kills }) => Object.keys(kills));
  expect(named.filter((check) => !known.has(check))).toEqual([]);
  expect(MUTANTS.filter(({ kills }) => Object.keys(kills).length === 0).map(({ id }) => id)).toEqual([]);
});

test("checks have ids of their own, each in its group", () => {
  const ids = CHECKS.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  expect(CHECKS.filter(({ id, group }) => id[0] !== group).map(({ id }) => id)).toEqual([]);
});
