import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Backend } from "@enginehouse/llm-conformance";
import { ollamaFake, openaiFake } from "@enginehouse/llm-conformance/fakes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { publishClosure } from "./closure.ts";
import { type Commands, createEnvironment, findCommands } from "./commands.ts";
import { installApplication, LAYOUTS } from "./layouts.ts";
import { publishHouse } from "./publish.ts";
import { type Registry, startRegistry } from "./registry.ts";

const HOUSE = [
  "llm-core",
  "llm-wire",
  "llm-openai-dialect",
  "llm-provider-echo",
  "llm-provider-llamacpp",
  "llm-provider-ollama",
  "llm-provider-openai",
];

/** All that an application says: one dependency, and one question. */
const PROGRAM = `
const [name, settings, model] = process.argv.slice(2);
const plugin = (await import(name)).default;
const provider = plugin.create(JSON.parse(settings));
let text = "";
let finish;
for await (const event of provider.stream({
  model,
  maxTokens: 8,
  messages: [{ role: "user", content: "hello there" }],
})) {
  if (event.type === "text-delta") text += event.text;
  if (event.type === "finish") finish = event.reason.unified;
}
await provider.close();
console.log(JSON.stringify({ text, finish, contract: plugin.contract }));
`;

interface Case {
  readonly name: string;
  readonly settings: () => object;
  readonly model: () => string;
  readonly says: RegExp;
}

const referenceModel = dirname(
  createRequire(import.meta.url).resolve("@enginehouse/llm-reference-model/package.json"),
);
const answer = { chats: [{ steps: [{ text: "hello " }, { text: "yourself" }] }] };

let root: string;
let registry: Registry;
let commands: Commands;
let env: NodeJS.ProcessEnv;
let ollama: Backend;
let openai: Backend;

const CASES: readonly Case[] = [
  { name: "echo", settings: () => ({}), model: () => "echo", says: /^hello there$/ },
  {
    name: "ollama",
    settings: () => ({ baseUrl: ollama.address }),
    model: () => ollama.models.chat,
    says: /^hello yourself$/,
  },
  {
    name: "openai",
    settings: () => ({ baseUrl: `${openai.address}/v1`, apiKey: "key-for-tests" }),
    model: () => openai.models.chat,
    says: /^hello yourself$/,
  },
  {
    name: "llamacpp",
    settings: () => ({ modelsDir: join(referenceModel, "models"), gpu: false, threads: 1 }),
    model: () => "chat/reference-model-q8_0",
    says: /\w/,
  },
];

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "one-provider-")));
  const home = join(root, "home");
  await mkdir(home);
  env = createEnvironment(home);
  commands = await findCommands();
  registry = await startRegistry(root, env);
  await writeFile(
    join(home, "npmrc"),
    `registry=${registry.url}\n${registry.url.replace("http:", "")}:_authToken=none\n`,
  );
  const folders = await publishHouse(HOUSE, { pnpm: commands.pnpm, env, folder: root });
  const done = new Set<string>();
  for (const folder of folders)
    await publishClosure(folder, done, { registryUrl: registry.url, folder: root });
  [ollama, openai] = await Promise.all([ollamaFake.start(answer), openaiFake.start(answer)]);
});

afterAll(async () => {
  await Promise.all([ollama?.close(), openai?.close(), registry?.stop()]);
  await rm(root, { recursive: true, force: true, maxRetries: 3 });
});

describe.each(LAYOUTS)("with $name", (layout) => {
  test.each(CASES)("an empty application that installs $name alone gets its answer", async (one) => {
    const packageName = `@enginehouse/llm-provider-${one.name}`;
    const manifest = {
      name: "application",
      private: true,
      type: "module",
      dependencies: { [packageName]: "*" },
    };
    const files = { "package.json": JSON.stringify(manifest), "ask.mjs": PROGRAM };
    const folder = join(root, `${layout.name}, ${one.name}`);
    const application = await installApplication(layout, files, {
      folder,
      commands,
      env,
      registryUrl: registry.url,
    });
    const said = await application.node("ask.mjs", packageName, JSON.stringify(one.settings()), one.model());
    expect(JSON.parse(said)).toEqual({
      text: expect.stringMatching(one.says),
      finish: expect.stringMatching(/^(?:stop|length)$/),
      contract: 1,
    });
  });
});
