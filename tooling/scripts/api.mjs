// The contract as its users see it: llm-core's declarations, one file for each entry, committed beside its package.json.
// Without arguments it compares them with what was built; `pnpm api` (`--write`) brings them up to date.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** For each entry of the package in `folder`: the committed text (if there is one) and the text of what was built. */
export function declarationsOf(folder) {
  const { name, exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const short = name.split("/").at(-1);
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === "string") return [];
    const file = [short, ...subpath.split("/").slice(1), "api.d.ts"].join(".");
    const path = join(folder, file);
    const committed = existsSync(path) ? readFileSync(path, "utf8") : undefined;
    return [{ file, committed, built: rollUp(folder, join(folder, target.types)) }];
  });
}

/** All that one entry exports, in one text. api-extractor brings a TypeScript with a JS API of its own. */
function rollUp(folder, entry) {
  if (!existsSync(entry)) throw new Error(`${entry} is not built; run \`pnpm build\` first`);
  mkdirSync(join(folder, ".turbo"), { recursive: true });
  const work = mkdtempSync(join(folder, ".turbo", "api-"));
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
  try {
    const config = ExtractorConfig.prepare({
      packageJsonFullPath: join(folder, "package.json"),
      configObjectFullPath: undefined,
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: entry,
        compiler: { overrideTsconfig: { compilerOptions, files: [entry] } },
        apiReport: { enabled: false },
        docModel: { enabled: false },
        dtsRollup: { enabled: true, untrimmedFilePath: join(work, "all.d.ts") },
        tsdocMetadata: { enabled: false },
        messages: { extractorMessageReporting: { default: { logLevel: "none" } } },
      },
    });
    const messageCallback = (message) => {
      message.handled = message.logLevel !== "error";
    };
    const result = Extractor.invoke(config, { localBuild: true, messageCallback });
    if (!result.succeeded) throw new Error(`api-extractor could not read ${entry}`);
    return readFileSync(join(work, "all.d.ts"), "utf8").replaceAll("\r\n", "\n");
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** The lines that came and went, as git shows them. */
function difference(committed, built) {
  const work = mkdtempSync(join(root, "packages", "llm-core", ".turbo", "api-"));
  try {
    writeFileSync(join(work, "committed"), committed);
    writeFileSync(join(work, "built"), built);
    const args = ["diff", "--no-index", "--no-color", "committed", "built"];
    return (
      spawnSync("git", args, { cwd: work, encoding: "utf8" }).stdout || "(there is no git here to show it)"
    );
  } finally {
    rmSync(work, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(root, "packages", "llm-core");
  for (const { file, committed, built } of declarationsOf(folder)) {
    if (process.argv.includes("--write")) {
      writeFileSync(join(folder, file), built);
      console.log(`wrote packages/llm-core/${file}`);
    } else if (committed !== built) {
      console.error(`packages/llm-core/${file} is not what llm-core exports now:\n`);
      console.error(difference(committed ?? "", built));
      console.error(
        `If the contract was meant to change so: run \`pnpm api\`, commit the file, add a changeset.`,
      );
      process.exitCode = 1;
    }
  }
}
