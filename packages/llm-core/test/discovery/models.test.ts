import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { discover } from "../../src/discovery.ts";
import type { Discovery } from "../../src/index.ts";
import { application, idsOf, modelPackage, plant, plugin, rowOf, type Tree } from "./tree.ts";

describe("model packages", () => {
  const model = {
    id: "tiny",
    format: "gguf",
    task: "chat",
    path: "./tiny.gguf",
    bytes: 4,
    license: "Apache-2.0",
  };
  const discoverModels = async (llmModels: unknown, more: Tree = {}): Promise<Discovery> =>
    discover({
      from: await plant({
        ...application("weights"),
        ...modelPackage("weights", llmModels, { "tiny.gguf": "GGUF", "onnx/model.onnx": "onnx" }),
        ...more,
      }),
    });

  test("are listed with absolute paths", async () => {
    const root = await plant({
      ...application("weights"),
      ...modelPackage("weights", [{ ...model, contextWindow: 512, note: "a toy", demonstration: true }], {
        "tiny.gguf": "GGUF",
      }),
    });
    const found = await discover({ from: root });
    expect(found.models).toEqual([
      {
        ...model,
        contextWindow: 512,
        note: "a toy",
        demonstration: true,
        path: join(root, "node_modules/weights/tiny.gguf"),
        packageName: "weights",
      },
    ]);
    expect(found.diagnostics).toEqual([
      {
        packageName: "weights",
        packageVersion: "2.0.0",
        status: "used",
        message: "weights@2.0.0 gives models: tiny (gguf)",
      },
    ]);
  });

  test("one id may come in two formats, and an onnx model may be a folder", async () => {
    const found = await discoverModels([model, { ...model, format: "onnx", path: "./onnx", bytes: 999 }]);
    expect(found.models.map(({ id, format }) => `${id} ${format}`)).toEqual(["tiny gguf", "tiny onnx"]);
  });

  const faults: readonly (readonly [string, unknown, string])[] = [
    ["no list", { ...model }, "llmModels: a list was expected"],
    [
      "a missing file",
      [{ ...model, path: "./gone.gguf" }],
      'llmModels.0.path: "./gone.gguf" cannot be opened (it does not exist)',
    ],
    ["a path out of the package", [{ ...model, path: "../../x.gguf" }], "llmModels.0.path: "],
    ["a folder for a file", [{ ...model, path: "./onnx" }], 'llmModels.0.path: "./onnx" is a folder'],
    [
      "a cut file",
      [{ ...model, bytes: 9 }],
      'llmModels.0.bytes: "./tiny.gguf" has 4 bytes, not 9; it is not whole',
    ],
    ["an unknown format", [{ ...model, format: "tarot" }], "llmModels.0.format: Invalid option"],
    ["no licence", [{ ...model, license: undefined }], "llmModels.0.license: Invalid input: expected string"],
  ];
  test.each(faults)("%s is refused by its place", async (_, llmModels, fault) => {
    const found = await discoverModels(llmModels);
    expect(found.models).toEqual([]);
    expect(found.diagnostics).toMatchObject([
      {
        packageName: "weights",
        status: "refused",
        code: "plugin-invalid",
        message: expect.stringContaining(fault),
      },
    ]);
  });

  test("a faulty entry does not spoil the others", async () => {
    const found = await discoverModels([{ ...model, id: "broken", path: "./gone" }, model]);
    expect(found.models.map(({ id }) => id)).toEqual(["tiny"]);
    expect(found.diagnostics.map(({ status }) => status)).toEqual(["used", "refused"]);
  });

  test("keys of a later release are told", async () => {
    const found = await discoverModels([{ ...model, colour: "red" }]);
    expect(found.models.length).toBe(1);
    expect(rowOf(found, "weights")).toMatchObject({
      status: "used",
      message: "weights@2.0.0 gives models: tiny (gguf); this host does not know llmModels.0.colour",
    });
  });

  test("one id and format from two packages is refused, naming both", async () => {
    const other = modelPackage("others", [model, { ...model, id: "own" }], { "tiny.gguf": "GGUF" });
    const found = await discoverModels([model], { ...application("weights", "others"), ...other });
    expect(found.models.map(({ id, packageName }) => [id, packageName])).toEqual([["own", "others"]]);
    expect(rowOf(found, "weights")).toMatchObject({
      status: "refused",
      code: "plugin-duplicate",
      message: 'weights@2.0.0 and others@2.0.0 both give the gguf model "tiny"; neither is used',
    });
  });

  test("one id and format twice in one package is refused", async () => {
    const found = await discoverModels([model, model]);
    expect(found.models).toEqual([]);
    expect(found.diagnostics[0]).toMatchObject({
      code: "plugin-duplicate",
      message: 'weights@2.0.0 twice gives the gguf model "tiny"; neither is used',
    });
  });

  test("a package may carry a plugin and models; a refused plugin does not take its models away", async () => {
    const both = (contract: number): Tree => ({
      ...plugin("weights", { contract }, { llmModels: [model] }),
      "node_modules/weights/tiny.gguf": "GGUF",
    });
    const found = await discoverModels([], both(1));
    expect([idsOf(found), found.models.length]).toEqual([["weights"], 1]);
    const refused = await discoverModels([], both(9));
    expect([idsOf(refused), refused.models.length]).toEqual([[], 1]);
  });
});
