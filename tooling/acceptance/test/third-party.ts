import { mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A provider as a stranger would publish it: plain JavaScript that knows llm-core and nothing else of this house. */
const SOURCE = `
import { defineProvider, fromBatches } from "@enginehouse/llm-core";
const settings = { "~standard": { version: 1, vendor: "acme", validate: (value) => ({ value }) } };
const yes = { value: "yes", source: "declared" };
const no = { value: "no", source: "declared" };
const capabilities = { chat: yes, embedding: no, rerank: no, tools: no, vision: no, reasoning: no, jsonSchema: no };
export default defineProvider({
  id: "acme",
  contract: 1,
  settings,
  create: (_, host) => ({
    name: host.name,
    listModels: async () => [{ id: "anvil", task: "chat" }],
    describeModel: async (id) => ({ id, task: "chat", contextWindow: 8192, capabilities }),
    health: async () => ({ status: "ok", version: "9.9" }),
    stream: (request) => fromBatches(async function* () {
      yield [{ type: "start", model: request.model, warnings: [] }, { type: "text-start", id: "0" }];
      yield [{ type: "text-delta", id: "0", text: "The harbour master is called Ottoline Farrow. [1]" }];
      yield [
        { type: "text-end", id: "0" },
        {
          type: "finish",
          reason: { unified: "stop", raw: "done" },
          usage: { inputTokens: undefined, outputTokens: undefined },
          context: { truncated: "unknown" },
        },
      ];
    }),
    close: async () => undefined,
  }),
});
`;

/** Puts the package into the application's node_modules, as a package manager would. */
export async function installThirdParty(application: string): Promise<string> {
  const name = "llm-provider-acme";
  const folder = join(application, "node_modules", name);
  await mkdir(join(folder, "dist"), { recursive: true });
  await mkdir(join(folder, "node_modules", "@enginehouse"), { recursive: true });
  const core = await realpath(join(application, "node_modules/@enginehouse/llm-core"));
  await symlink(core, join(folder, "node_modules/@enginehouse/llm-core"), "junction");
  await writeFile(join(folder, "dist/index.js"), SOURCE);
  const llmProvider = {
    contract: 1,
    id: "acme",
    entry: "./dist/index.js",
    operations: ["chat", "list", "describe", "health"],
    features: [],
    modelFormats: [],
  };
  const exports = { ".": { default: "./dist/index.js" } };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({
      name,
      version: "3.2.1",
      type: "module",
      keywords: ["llm-provider"],
      exports,
      llmProvider,
    }),
  );
  return name;
}
