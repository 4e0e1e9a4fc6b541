import { CHECKS } from "@enginehouse/llm-conformance";
import { expect, test } from "vitest";

import { conformancePage, pageOfChecks } from "../checks/conformance-page.ts";
import { read } from "../checks/house.ts";

test("the page about conformance is the one made from the kit's checks", () => {
  expect(read(conformancePage), "`pnpm docs:conformance` writes it anew").toBe(pageOfChecks(CHECKS));
});

test("another promise, or another need, makes another page", () => {
  const [first, ...others] = CHECKS;
  if (first === undefined) throw new Error("there are no checks");
  const page = pageOfChecks(CHECKS);
  expect(pageOfChecks([{ ...first, promise: "It sleeps." }, ...others])).not.toBe(page);
  expect(
    pageOfChecks([{ ...first, needs: { operations: ["rerank"], wire: ["usage"] } }, ...others]),
  ).toContain(
    "_Needs:_ `rerank` among the manifest's operations; a wire where the backend tells token counts.",
  );
});
