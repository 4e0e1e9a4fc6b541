// The contract as its users see it: llm-core's declarations, one file for each entry, committed beside its package.json.
// Without arguments it compares them with what was built; `pnpm api` (`--write`) brings them up to date.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "packages", "llm-core");
const work = join(root, "packages", "llm-core", ".turbo", "api");
mkdirSync(work, { recursive: true });

const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
for (const [subpath, target] of Object.entries(exports)) {
  if (typeof target === "string") continue;
  const name = subpath === "." ? "llm-core.api.d.ts" : `llm-core.${subpath.slice(2)}.api.d.ts`;
  const committed = join(folder, name);
  const built = join(work, name);
  writeFileSync(built, rollUp(join(folder, target.types), built));
  if (process.argv.includes("--write")) {
    writeFileSync(committed, readFileSync(built));
    console.log(`wrote ${relative(root, committed)}`);
  } else if (!existsSync(committed) || readFileSync(committed, "utf8") !== readFileSync(built, "utf8")) {
    report(committed, built);
    process.exitCode = 1;
  }
}

/** All that one entry exports, in one text. api-extractor brings a TypeScript with a JS API of its own. */
function rollUp(entry, output) {
  if (!existsSync(entry)) throw new Error(`${relative(root, entry)} is not built; run \`pnpm build\` first`);
  const compilerOptions = {
    target: "es2023",
    lib: ["es2023", "dom"],
    module: "nodenext",
    moduleResolution: "nodenext",
    allowImportingTsExtensions: true,
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
  };
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(folder, "package.json"),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: entry,
      compiler: { overrideTsconfig: { compilerOptions, files: [entry] } },
      apiReport: { enabled: false },
      docModel: { enabled: false },
      dtsRollup: { enabled: true, untrimmedFilePath: output },
      tsdocMetadata: { enabled: false },
      messages: { extractorMessageReporting: { default: { logLevel: "none" } } },
    },
  });
  const result = Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      message.handled = message.logLevel !== "error";
    },
  });
  if (!result.succeeded) throw new Error(`api-extractor could not read ${relative(root, entry)}`);
  return readFileSync(output, "utf8").replaceAll("\r\n", "\n");
}

function report(committed, built) {
  const name = relative(root, committed);
  console.error(`${name} is not what llm-core exports now:\n`);
  const previous = existsSync(committed) ? committed : "/dev/null";
  const diff = spawnSync("git", ["diff", "--no-index", "--no-color", previous, built], { encoding: "utf8" });
  console.error(diff.stdout || "(no git here to show the difference)");
  console.error(
    `When the contract is meant to change so: \`pnpm api\`, commit ${name}, and add a changeset.`,
  );
}
