import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { page as file, pageOfChecks } from "../../page.ts";
import { CHECKS, WIRE_ABILITIES } from "../../src/index.ts";
import { MUTANTS } from "../../src/mutants/index.ts";

test("the page about conformance is the one made from the kit's checks", () => {
  expect(readFileSync(file, "utf8"), "`pnpm docs:conformance` writes it anew").toBe(
    pageOfChecks(CHECKS, MUTANTS),
  );
});

test("another promise, or another need, makes another page", () => {
  const [first, ...others] = CHECKS;
  if (first === undefined) throw new Error("there are no checks");
  const page = pageOfChecks(CHECKS);
  expect(pageOfChecks([{ ...first, promise: "It sleeps." }, ...others])).not.toBe(page);
  expect(
    pageOfChecks([{ ...first, needs: { operations: ["rerank"], wire: ["usage"] } }, ...others]),
  ).toContain(`_Needs:_ \`rerank\` among the manifest's operations; a wire where ${WIRE_ABILITIES.usage}.`);
});

test("the page says over which wrong providers a check fails, the most special first", () => {
  const [first, second] = CHECKS;
  if (first === undefined || second === undefined) throw new Error("there are no checks");
  const page = pageOfChecks(
    [first, second],
    [
      { id: "M01", wrong: "does nothing", kills: { [first.id]: /./, [second.id]: /./ } },
      { id: "M02", wrong: "sleeps", kills: { [first.id]: /./ } },
    ],
  );
  expect(page).toContain("_Fails over a provider that_ sleeps (M02), or does nothing (M01).");
  expect(page).toContain(`| M01    | It does nothing.      | ${first.id} ${second.id} |`);
});
