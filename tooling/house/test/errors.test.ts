import { ERROR_CODES } from "@enginehouse/llm-core";
import { expect, test } from "vitest";

import { errorPage, pageOfErrors } from "../checks/error-page.ts";
import { read } from "../checks/house.ts";

test("the page about errors is the one made from the core's table", () => {
  expect(read(errorPage), "`pnpm docs:errors` writes it anew").toBe(pageOfErrors(ERROR_CODES));
});

test("a code more, or another word, makes another page", () => {
  const more = pageOfErrors({ ...ERROR_CODES, tired: { retryable: undefined, says: "it sleeps" } });
  expect(more).not.toBe(pageOfErrors(ERROR_CODES));
  expect(more).toMatch(/\| `tired` +\| it sleeps +\| not known +\|/);
});
