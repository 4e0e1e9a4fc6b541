import { describe, expect, test } from "vitest";

import { filesBelow, members } from "../checks/house.ts";
import { outOfRooms } from "../checks/rooms.ts";

const providers = members("packages").filter(({ folder }) => folder.startsWith("packages/llm-provider-"));

describe("the rooms of a provider", () => {
  test.each(providers)("are those of $folder", ({ folder }) => {
    const files = filesBelow(`${folder}/src`).map((path) => path.replace(`${folder}/src/`, ""));
    expect(outOfRooms(folder.replace("packages/", ""), files)).toEqual([]);
  });
});

describe("the check of rooms", () => {
  const whole = ["index.ts", "provider.ts", "settings.ts", "wire.ts", "encode.ts", "decode.ts", "errors.ts"];

  test("wants every room of a provider with a backend", () => {
    expect(outOfRooms("llm-provider-acme", whole)).toEqual([]);
    expect(outOfRooms("llm-provider-acme", whole.slice(1))).toEqual([
      "packages/llm-provider-acme/src lacks index.ts",
    ]);
  });

  test("lets larger parts live in folders, and nothing else beside the rooms", () => {
    expect(outOfRooms("llm-provider-acme", [...whole, "engine/child.ts"])).toEqual([]);
    expect(outOfRooms("llm-provider-acme", [...whole, "child.ts"])).toHaveLength(1);
  });
});
