import { expect, test } from "vitest";

import { read } from "../checks/house.ts";
import {
  ignoredOptionals,
  installedOptionals,
  lockedOptionals,
  missingOptionals,
} from "../checks/lockfile.ts";

test("the lockfile has every platform's package that the publishers list", () => {
  const installed = installedOptionals();
  expect(installed.size, "packages with optional dependencies").toBeGreaterThan(5);
  expect(missingOptionals(lockedOptionals(read("pnpm-lock.yaml")), installed, ignoredOptionals())).toEqual(
    [],
  );
});

test("a lockfile made from a partial registry is refused", () => {
  const lockfile =
    "---\nlockfileVersion: '9.0'\n---\nsnapshots:\n  tool@1.0.0(peer@2.0.0):\n    optionalDependencies:\n      tool-linux: 1.0.0\n";
  const published = new Map([["tool@1.0.0", ["tool-linux", "tool-macos", "tool-linux-cuda"]]]);
  const locked = lockedOptionals(lockfile);
  expect(missingOptionals(locked, published, ["*-cuda"])).toEqual([
    "the lockfile's tool@1.0.0 lacks tool-macos",
  ]);
  expect(missingOptionals(locked, published, [])).toEqual([
    "the lockfile's tool@1.0.0 lacks tool-macos, tool-linux-cuda",
  ]);
});
