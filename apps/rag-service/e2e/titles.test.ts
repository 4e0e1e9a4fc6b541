import { expect, test } from "vitest";

import { shownTitle } from "../web/titles.ts";

test.each([
  ["THE HARBOUR HANDBOOK OF MARROW QUAY", "The Harbour Handbook of Marrow Quay"],
  ["ANNUAL REPORT: THE USB READER HC-40", "Annual Report: The USB Reader HC-40"],
])("%j shouts, and is shown as %j", (title, shown) => {
  expect(shownTitle(title)).toBe(shown);
});

test.each(["NATO", "USB HID API", "README.md", "Report of the NATO", "2024", "", "東京の本"])(
  "%j is shown as it is",
  (title) => {
    expect(shownTitle(title)).toBe(title);
  },
);
