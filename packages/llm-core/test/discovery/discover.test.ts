import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { describe, expect, test, vi } from "vitest";

import { discover } from "../../src/discovery.ts";
import type { Discovery } from "../../src/index.ts";
import { application, modelPackage, plant, plugin, type Tree } from "./tree.ts";

const idsOf = ({ plugins }: Discovery): readonly string[] => plugins.map(({ manifest }) => manifest.id);
const rowOf = ({ diagnostics }: Discovery, name: string) =>
  diagnostics.find(({ packageName }) => packageName === name);

/** What discovery finds in an application that depends on the one plugin `x` with this manifest. */
async function discoverOne(manifest: unknown, more: Tree = {}): Promise<Discovery> {
  return discover({ from: await plant({ ...application("x"), ...plugin("x", manifest), ...more }) });
}

describe("candidates", () => {
  test("are the direct dependencies, optional ones included, and nothing else", async () => {
    const root = await plant({
      "package.json": {
        name: "app",
        dependencies: { direct: "1", library: "1" },
        optionalDependencies: { "direct-optional": "1" },
        devDependencies: { "for-development": "1" },
        peerDependencies: { peer: "1" },
      },
      ...plugin("direct"),
      ...plugin("direct-optional"),
      ...plugin("for-development"),
      ...plugin("peer"),
      ...plugin("transitive"),
      "node_modules/library/package.json": { name: "library", dependencies: { transitive: "1" } },
    });
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["direct", "direct-optional"]);
    expect(found.diagnostics.map(({ packageName, status }) => [packageName, status])).toEqual([
      ["direct", "used"],
      ["library", "ignored"],
      ["direct-optional", "used"],
    ]);
  });

  test("are not imported before they are used", async () => {
    const found = await discover({ from: await plant({ ...application("lazy"), ...plugin("lazy") }) });
    expect(globalThis).not.toHaveProperty("imported");
    expect(await found.plugins[0]?.load()).toMatchObject({ default: { id: "lazy" } });
    expect(globalThis).toHaveProperty("imported", ["lazy"]);
    Reflect.deleteProperty(globalThis, "imported");
  });

  test("say which package they are and what they can do", async () => {
    const found = await discoverOne({
      operations: ["chat", "embed"],
      features: ["tools"],
      modelFormats: ["gguf"],
    });
    expect(found.plugins).toMatchObject([
      {
        packageName: "x",
        packageVersion: "1.2.3",
        manifest: {
          contract: 1,
          id: "x",
          operations: ["chat", "embed"],
          features: ["tools"],
          modelFormats: ["gguf"],
        },
      },
    ]);
    expect(rowOf(found, "x")).toMatchObject({
      id: "x",
      status: "used",
      message: 'x@1.2.3 gives provider "x" (chat, embed)',
    });
  });

  test("one that is not installed is named, with the command that installs it", async () => {
    const root = await plant({
      "package.json": { dependencies: { gone: "1" }, optionalDependencies: { "gone-too": "1" } },
      "pnpm-lock.yaml": "",
    });
    expect((await discover({ from: root })).diagnostics).toEqual([
      {
        packageName: "gone",
        status: "failed",
        code: "plugin-load-failed",
        message: "gone is a dependency and not installed",
        hint: "run `pnpm install`",
      },
      {
        packageName: "gone-too",
        status: "ignored",
        message: "gone-too is an optional dependency and not installed",
      },
    ]);
  });
});

describe("a package is found", () => {
  test("when it exports neither its package.json nor anything to require", async () => {
    const found = await discover({
      from: await plant({
        ...application("hidden", "sealed"),
        ...plugin("hidden", {}, { exports: { ".": { import: "./index.js" } } }),
        ...plugin("sealed", {}, { exports: {} }),
      }),
    });
    expect(idsOf(found)).toEqual(["hidden", "sealed"]);
    expect(await found.plugins[1]?.load()).toMatchObject({ default: { id: "sealed" } });
  });

  test("when its exports point elsewhere for its package.json", async () => {
    const found = await discoverOne(
      {},
      {
        "node_modules/x/dist/package.json": { type: "module" },
        ...plugin("x", {}, { exports: { "./*": "./dist/*" } }),
      },
    );
    expect(idsOf(found)).toEqual(["x"]);
  });

  test("behind the links of a strict pnpm", async () => {
    const root = await plant(application("linked"));
    const store = "node_modules/.pnpm/linked@1.2.3/";
    for (const [path, content] of Object.entries(plugin("linked"))) {
      await mkdir(join(root, store, "node_modules/linked"), { recursive: true });
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await writeFile(join(root, store, path), text);
    }
    await symlink(".pnpm/linked@1.2.3/node_modules/linked", join(root, "node_modules/linked"), "junction");
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["linked"]);
    expect(await found.plugins[0]?.load()).toMatchObject({ default: { id: "linked" } });
  });

  test("in a folder further up, as workspaces have it", async () => {
    const root = await plant({
      ...plugin("shared"),
      "apps/one/package.json": { name: "one", dependencies: { shared: "1" } },
    });
    expect(idsOf(await discover({ from: join(root, "apps/one") }))).toEqual(["shared"]);
  });

  test("under the name of a built-in module", async () => {
    const root = await plant({ ...application("events"), ...plugin("events") });
    expect(idsOf(await discover({ from: root }))).toEqual(["events"]);
  });

  test("under a scope, an alias, or a name outside ASCII", async () => {
    const root = await plant(
      {
        ...application("@acme/llm-provider-große", "alias"),
        ...plugin("@acme/llm-provider-große", { id: "gross" }),
        ...plugin("alias", {}, { name: "@acme/real-name" }),
      },
      "Ordner mit Ümläuten 文件夹 #1%20",
    );
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["gross", "alias"]);
  });
});

test("an entry in a folder with an odd name is imported by Node itself", async () => {
  const root = await plant(
    { ...application("@acme/größe"), ...plugin("@acme/größe", { id: "gross" }) },
    "Ordner mit Ümläuten 文件夹 #1%20?",
  );
  const source = new URL("../../src/discovery.ts", import.meta.url).href;
  const script = `
    const { discover } = await import(${JSON.stringify(source)});
    const { plugins } = await discover({ from: ${JSON.stringify(root)} });
    console.log(JSON.stringify((await plugins[0].load()).default));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  expect(JSON.parse(stdout)).toEqual({ id: "größe" });
});

describe("the application", () => {
  const tree: Tree = {
    ...application("x"),
    ...plugin("x"),
    "src/server.js": "",
    "dist/package.json": { type: "module" },
  };

  test("is found from a file URL, a path, a folder, or its package.json", async () => {
    const root = await plant(tree);
    for (const from of [
      pathToFileURL(join(root, "src/server.js")),
      pathToFileURL(join(root, "src/server.js")).href,
      join(root, "src/server.js"),
      root,
      join(root, "package.json"),
    ]) {
      expect(idsOf(await discover({ from }))).toEqual(["x"]);
    }
  });

  test("is the working directory's by default", async () => {
    const root = await plant(tree);
    const cwd = vi.spyOn(process, "cwd").mockReturnValue(join(root, "src"));
    try {
      expect(idsOf(await discover())).toEqual(["x"]);
    } finally {
      cwd.mockRestore();
    }
  });

  test("is not a folder whose package.json only tells its module system", async () => {
    const root = await plant(tree);
    expect(idsOf(await discover({ from: join(root, "dist/bundle.js") }))).toEqual(["x"]);
  });

  test("need not have dependencies, nor well-formed ones", async () => {
    const root = await plant({
      "package.json": { name: "app", dependencies: ["x"], optionalDependencies: null },
    });
    expect(await discover({ from: root })).toEqual({ plugins: [], models: [], diagnostics: [] });
  });

  test("with a broken package.json is an error that names the file", async () => {
    const root = await plant({ "package.json": "{" });
    await expect(discover({ from: root })).rejects.toMatchObject({
      code: "invalid-request",
      message: `no application to discover plugins for: ${join(root, "package.json")}: it is not valid JSON`,
    });
  });

  test("cannot be a URL of the web", async () => {
    await expect(discover({ from: "https://example.com/app.js" })).rejects.toMatchObject({
      code: "invalid-request",
      message: '"https://example.com/app.js" is no place to discover plugins from',
    });
  });

  test("missing altogether is an error that says what to pass", async () => {
    await expect(discover({ from: "/" })).rejects.toMatchObject({
      code: "invalid-request",
      message: "no application to discover plugins for: no package.json at or above /",
      hint: "pass a file or folder of the application",
    });
  });
});

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

describe("one id, two packages", () => {
  const tree: Tree = {
    ...application("a", "b", "c"),
    ...plugin("a", { id: "twin" }),
    ...plugin("b", { id: "twin" }),
    ...plugin("c"),
  };

  test("neither is used, and both are named", async () => {
    const found = await discover({ from: await plant({ ...tree, "package-lock.json": "" }) });
    expect(idsOf(found)).toEqual(["c"]);
    for (const name of ["a", "b"]) {
      expect(rowOf(found, name)).toEqual({
        packageName: name,
        packageVersion: "1.2.3",
        id: "twin",
        status: "refused",
        code: "plugin-duplicate",
        message: 'a@1.2.3 and b@1.2.3 both claim the provider id "twin"; none of them is used',
        hint: `keep one: \`npm uninstall ${name}\`, or name the package in the deny list of discovery`,
      });
    }
  });

  test("a deny list or an allow list settles it", async () => {
    const root = await plant(tree);
    const denied = await discover({ from: root, deny: ["a"] });
    expect(denied.plugins.map(({ packageName }) => packageName)).toEqual(["b", "c"]);
    expect(rowOf(denied, "a")).toMatchObject({ status: "ignored", message: "the application denies a" });
    const allowed = await discover({ from: root, allow: ["a", "c"] });
    expect(allowed.plugins.map(({ packageName }) => packageName)).toEqual(["a", "c"]);
  });

  test("a refused package claims nothing", async () => {
    const root = await plant({ ...tree, ...plugin("b", { id: "twin", contract: 9 }) });
    expect(idsOf(await discover({ from: root }))).toEqual(["twin", "c"]);
  });
});

describe("allow and deny", () => {
  const tree: Tree = {
    ...application("pkg-a", "pkg-b"),
    ...plugin("pkg-a", { id: "a" }),
    ...plugin("pkg-b", { id: "b" }),
  };

  test("take names of packages and ids of providers", async () => {
    const root = await plant(tree);
    expect(idsOf(await discover({ from: root, allow: ["a"] }))).toEqual(["a"]);
    expect(idsOf(await discover({ from: root, allow: ["pkg-b"] }))).toEqual(["b"]);
    expect(idsOf(await discover({ from: root, deny: ["b"] }))).toEqual(["a"]);
    expect(idsOf(await discover({ from: root, allow: [] }))).toEqual([]);
  });

  test("deny wins", async () => {
    const found = await discover({ from: await plant(tree), allow: ["pkg-a", "b"], deny: ["a"] });
    expect(idsOf(found)).toEqual(["b"]);
    expect(rowOf(found, "pkg-a")).toMatchObject({
      status: "ignored",
      message: 'the application denies provider "a" of pkg-a',
    });
  });

  test("an allowed name that meets nothing is told", async () => {
    const found = await discover({ from: await plant(tree), allow: ["a", "lama"] });
    expect(rowOf(found, "pkg-b")).toMatchObject({ status: "ignored" });
    expect(rowOf(found, "lama")).toMatchObject({
      status: "ignored",
      message: expect.stringContaining('allows "lama"'),
    });
  });
});

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
