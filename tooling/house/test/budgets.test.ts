import { describe, expect, test } from "vitest";

import budgets from "../budgets.json" with { type: "json" };
import { overBudget } from "../checks/budgets.ts";
import type { Budget } from "../checks/budgets.ts";
import { members, sourcesBelow } from "../checks/house.ts";

const stated: Readonly<Record<string, Budget>> = budgets;

describe("the budget of lines", () => {
  test.each(members("packages", "apps"))("is kept by $folder", ({ folder }) => {
    expect(overBudget(folder, sourcesBelow(`${folder}/src`), stated[folder])).toEqual([]);
  });

  test("is stated for no package that is gone", () => {
    const folders = members("packages", "apps").map(({ folder }) => folder);
    expect(Object.keys(stated).filter((folder) => !folders.includes(folder))).toEqual([]);
  });
});

describe("the check of budgets", () => {
  const file = (lines: number) => ({ path: "src/a.ts", text: "x;\n".repeat(lines) });

  test("counts the lines of all files together", () => {
    expect(overBudget("packages/a", [file(60), file(40)], { lines: 100 })).toEqual([]);
    expect(overBudget("packages/a", [file(60), file(41)], { lines: 100 })).toEqual([
      "packages/a has 101 lines of source, over its budget of 100",
    ]);
  });

  test("refuses a long file, and room for one without a reason", () => {
    expect(overBudget("packages/a", [file(201)], { lines: 400 })).toHaveLength(1);
    expect(overBudget("packages/a", [file(201)], { lines: 400, longestFile: 210 })).toHaveLength(1);
    expect(
      overBudget("packages/a", [file(201)], { lines: 400, longestFile: 210, because: "a table" }),
    ).toEqual([]);
  });

  test("refuses a package that states none", () => {
    expect(overBudget("packages/a", [], undefined)).toHaveLength(1);
  });
});
