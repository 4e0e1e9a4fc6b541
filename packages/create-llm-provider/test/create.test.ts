import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createProviderPackage } from "../src/create.ts";
import { namesOf, rename } from "../src/names.ts";

const VERSIONS = {
  "@enginehouse/llm-core": "^1.0.0",
  "@enginehouse/llm-wire": "^1.0.0",
  "@enginehouse/llm-conformance": "^1.0.0",
  "@types/node": "^22.0.0",
  typescript: "^7.0.0",
  vitest: "^5.0.0",
  zod: "^4.0.0",
};

describe("a name", () => {
  it.each([
    ["acme", "acme", "llm-provider-acme", "Acme", "ACME"],
    ["llm-provider-acme", "acme", "llm-provider-acme", "Acme", "ACME"],
    ["my-server2", "my-server2", "llm-provider-my-server2", "MyServer2", "MY_SERVER2"],
    ["@me/big-box", "big-box", "@me/llm-provider-big-box", "BigBox", "BIG_BOX"],
    ["@me/llm-provider-big-box", "big-box", "@me/llm-provider-big-box", "BigBox", "BIG_BOX"],
  ])("%s gives all the others", (typed, id, packageName, pascal, constant) => {
    expect(namesOf(typed)).toEqual({ id, packageName, pascal, constant });
  });

  it.each([
    "",
    "Acme",
    "a b",
    "../acme",
    "acme/",
    "-acme",
    "acme-",
    "a--b",
    "9lives",
    "acmé",
    "x".repeat(51),
  ])("%j is refused, with what one looks like", (typed) => {
    expect(() => namesOf(typed)).toThrow(/is no name for a provider: small letters/);
  });

  it("whose scope has the template's word in it is not renamed twice", () => {
    const names = namesOf("@acme/llm-provider-box");
    expect(rename('"llm-provider-acme" ACME_URL createAcme "acme"', names)).toBe(
      '"@acme/llm-provider-box" BOX_URL createBox "box"',
    );
  });
});

describe("a new package", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "create-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("has the usual rooms, and nothing of the template's name is left in it", async () => {
    const { files } = await createProviderPackage({ name: "@me/big-box", folder, versions: VERSIONS });
    expect(files).toEqual(
      expect.arrayContaining([
        ".github/workflows/ci.yml",
        ".gitignore",
        "LICENSE",
        "README.md",
        "conformance.subject.ts",
        "package.json",
        "src/decode.ts",
        "src/encode.ts",
        "src/errors.ts",
        "src/index.ts",
        "src/models.ts",
        "src/provider.ts",
        "src/settings.ts",
        "src/wire.ts",
        "test/conformance.test.ts",
      ]),
    );
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
    expect(files.filter((_, index) => /acme/i.test(texts[index] ?? ""))).toEqual([]);
  });

  it("is TypeScript whatever it is called, also where a name is no name for a variable", async () => {
    const { files } = await createProviderPackage({ name: "@me/big-box", folder, versions: VERSIONS });
    const readme = await readFile(join(folder, "README.md"), "utf8");
    const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
    expect(examples).toHaveLength(1);
    const sources = files.filter((file) => file.endsWith(".ts")).map((file) => join(folder, file));
    const codes = await Promise.all(sources.map((path) => readFile(path, "utf8")));
    for (const code of [...codes, ...examples]) expect(() => stripTypeScriptTypes(code)).not.toThrow();
  });

  it("names the versions that it was made with", async () => {
    await createProviderPackage({ name: "box", folder, versions: VERSIONS });
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as unknown;
    expect(manifest).toMatchObject({
      name: "llm-provider-box",
      llmProvider: { id: "box", contract: 1 },
      dependencies: { "@enginehouse/llm-core": "^1.0.0", zod: "^4.0.0" },
      devDependencies: { "@enginehouse/llm-conformance": "^1.0.0" },
    });
  });

  it("is never written over what is there", async () => {
    await writeFile(join(folder, "notes.txt"), "mine");
    const made = createProviderPackage({ name: "box", folder, versions: VERSIONS });
    await expect(made).rejects.toThrow(/is not empty \(notes\.txt …\); name another folder/);
    expect(await readFile(join(folder, "notes.txt"), "utf8")).toBe("mine");
  });

  it("needs a version for each of its packages", async () => {
    const made = createProviderPackage({ name: "box", folder, versions: {} });
    await expect(made).rejects.toThrow(/no version is known for/);
  });
});
