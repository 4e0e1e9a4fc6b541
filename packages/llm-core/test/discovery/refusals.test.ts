import { execFileSync } from "node:child_process";
import { symlink } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { discover } from "../../src/discovery.ts";
import { application, discoverOne, idsOf, plant, plugin, rowOf } from "./tree.ts";

describe("a bad package is refused by itself", () => {
  const refusals: readonly (readonly [string, unknown, string])[] = [
    ["no object", "yes", "llmProvider: Invalid input: expected object, received string"],
    ["null", null, "llmProvider: Invalid input: expected object, received null"],
    ["a list", [], "llmProvider: Invalid input: expected object, received array"],
    [
      "a contract in words",
      { contract: "one" },
      "llmProvider.contract: Invalid input: expected number, received string",
    ],
    ["contract 0", { contract: 0 }, "llmProvider.contract: Too small: expected number to be >0"],
    [
      "half a contract",
      { contract: 1.5 },
      "llmProvider.contract: Invalid input: expected int, received number",
    ],
    [
      "an id with a slash",
      { id: "a/b" },
      "llmProvider.id: write lower-case letters, digits, dots and dashes",
    ],
    ["an id of the prototype", { id: "__proto__" }, "llmProvider.id: write lower-case letters"],
    ["no operations", { operations: [] }, "llmProvider.operations: Too small"],
    [
      "an operation that is no word",
      { operations: ["chat", 7] },
      "llmProvider.operations.1: Invalid input: expected string",
    ],
    [
      "an entry outside",
      { entry: "../y/index.js" },
      'llmProvider.entry: "../y/index.js" is no relative path within',
    ],
    ["an entry outside by a detour", { entry: "./a/../../y.js" }, "is no relative path within the package"],
    [
      "an absolute entry",
      { entry: "/etc/passwd" },
      'llmProvider.entry: "/etc/passwd" is no relative path within',
    ],
    ["an entry on a drive", { entry: "C:/x.js" }, 'llmProvider.entry: "C:/x.js" is no relative path within'],
    ["an entry with backslashes", { entry: "..\\x.js" }, "is no relative path within the package"],
    [
      "an entry that is not there",
      { entry: "./dist/index.js" },
      '"./dist/index.js" cannot be opened (it does not exist)',
    ],
    ["an entry that is a folder", { entry: "." }, 'llmProvider.entry: "." is a folder'],
  ];
  test.each(refusals)("%s", async (_, manifest, fault) => {
    const root = await plant({ ...application("x", "good"), ...plugin("x", manifest), ...plugin("good") });
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["good"]);
    expect(rowOf(found, "x")).toMatchObject({
      packageVersion: "1.2.3",
      status: "refused",
      code: "plugin-invalid",
      message: expect.stringContaining(fault),
      hint: "install another version, `npm install x@latest`, or report it to its author",
    });
  });

  test("every fault is told, not only the first", async () => {
    const found = await discoverOne({ id: 5, entry: 6 });
    expect(rowOf(found, "x")?.message).toMatch(/llmProvider\.id: .*; llmProvider\.entry: /);
  });

  const unreadable: readonly (readonly [string, string | Uint8Array, string])[] = [
    ["broken JSON", '{ "name": ', "it is not valid JSON"],
    ["a list", "[]", "it holds no JSON object"],
    ["no UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "ERR_ENCODING_INVALID_ENCODED_DATA"],
    [
      "more than a megabyte",
      `{"name":"x","pad":"${" ".repeat(1024 * 1024)}"}`,
      "it has 1048597 bytes; up to 1048576 are read",
    ],
  ];
  test.each(unreadable)("a package.json that is %s", async (_, text, fault) => {
    const root = await plant({
      ...application("x", "good"),
      ...plugin("good"),
      "node_modules/x/package.json": text,
    });
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["good"]);
    expect(rowOf(found, "x")).toMatchObject({
      status: "refused",
      code: "plugin-invalid",
      message: `the package.json of x cannot be read: ${fault}`,
      hint: "install x anew: `npm install x`",
    });
  });

  test("a package.json with a byte order mark is read", async () => {
    const sound = plugin("x")["node_modules/x/package.json"];
    expect(
      idsOf(await discoverOne({}, { "node_modules/x/package.json": `\uFEFF${JSON.stringify(sound)}` })),
    ).toEqual(["x"]);
  });

  test("a package.json that links to itself", async () => {
    const root = await plant({
      ...application("x", "good"),
      ...plugin("good"),
      "node_modules/x/index.js": "",
    });
    await symlink("package.json", join(root, "node_modules/x/package.json"));
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["good"]);
    expect(rowOf(found, "x")).toMatchObject({
      status: "refused",
      message: "the package.json of x cannot be read: ELOOP",
    });
  });

  test("a package.json that is a folder", async () => {
    const found = await discoverOne({}, { "node_modules/y/package.json/index.js": "", ...application("y") });
    expect(rowOf(found, "y")?.message).toBe("the package.json of y cannot be read: it is no file");
  });

  test.skipIf(process.platform === "win32")("a pipe, which would be read for ever", async () => {
    const root = await plant({
      ...application("x", "y"),
      ...plugin("x", { entry: "./pipe.js" }),
      "node_modules/y/index.js": "",
    });
    execFileSync("mkfifo", [join(root, "node_modules/x/pipe.js"), join(root, "node_modules/y/package.json")]);
    const found = await discover({ from: root });
    expect(rowOf(found, "x")?.message).toContain('"./pipe.js" is neither a file nor a folder');
    expect(rowOf(found, "y")?.message).toBe("the package.json of y cannot be read: it is no file");
  });

  test("an entry that is a link out of the package", async () => {
    const root = await plant({ ...application("x"), ...plugin("x", { entry: "./out.js" }), "secret.js": "" });
    await symlink("../../secret.js", join(root, "node_modules/x/out.js"));
    const found = await discover({ from: root });
    expect(found.plugins).toEqual([]);
    expect(rowOf(found, "x")?.message).toContain('"./out.js" is a link that leads out of the package');
  });

  test("a dependency whose name would lead elsewhere", async () => {
    const names = [
      "../secret",
      "./x",
      "/etc",
      "a/b",
      "@scope",
      "@/x",
      "a\\b",
      "x:y",
      ".",
      "@a/b/c",
      "a\nb",
      "",
    ];
    const root = await plant({
      ...application("good", ...names),
      ...plugin("good"),
      "secret/package.json": {},
    });
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["good"]);
    for (const name of names) {
      expect(rowOf(found, name)).toMatchObject({
        status: "refused",
        message: expect.stringContaining("no name of a package"),
      });
    }
  });

  test("names of the prototype are ordinary names", async () => {
    const root = await plant({
      "package.json": '{ "dependencies": { "__proto__": "1", "constructor": "1", "good": "1" } }',
      ...plugin("good"),
      "node_modules/constructor/package.json": '{ "__proto__": { "llmProvider": { "id": "evil" } } }',
    });
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["good"]);
    expect(rowOf(found, "__proto__")).toMatchObject({ status: "failed" });
    expect(rowOf(found, "constructor")).toMatchObject({ status: "ignored" });
  });
});

describe("another contract", () => {
  test("a newer one is refused with both versions and the command for this host", async () => {
    const found = await discoverOne(
      { contract: 7, operations: { shaped: "differently" } },
      { "yarn.lock": "" },
    );
    expect(rowOf(found, "x")).toEqual({
      packageName: "x",
      packageVersion: "1.2.3",
      id: "x",
      status: "refused",
      code: "plugin-incompatible",
      message: "x@1.2.3 speaks contract 7, this host speaks 1",
      hint: "run `yarn add @enginehouse/llm-core@latest`, or install a version of x made for contract 1",
    });
  });

  test("words of a later release of the same contract do no harm and are told", async () => {
    const found = await discoverOne({
      operations: ["chat", "sing"],
      features: ["tools", "smell"],
      colour: "red",
    });
    expect(idsOf(found)).toEqual(["x"]);
    expect(rowOf(found, "x")).toMatchObject({
      status: "used",
      message: expect.stringContaining(
        'this host does not know its key "colour", operation "sing", feature "smell"',
      ),
    });
  });
});
