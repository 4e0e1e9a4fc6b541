#!/usr/bin/env node
import { relative } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";

import { type Created, createProviderPackage } from "./create.ts";
import { namesOf } from "./names.ts";
import { isAccepted, NODE_RANGE } from "./node-range.ts";

const USAGE = `npm create @enginehouse/llm-provider NAME [-- --folder FOLDER]

  NAME      the provider's id, such as acme, or a package name, such as @me/llm-provider-acme
  --folder  where to write; default: a folder of the package's name, which must be empty or new
  --help    this text
`;

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const [given, ...more] = positionals;
  if (more.length > 0) throw new Error(`one name at a time: ${positionals.join(", ")}\n\n${USAGE}`);
  const name = given ?? (await ask());
  const created = await createProviderPackage({ name, folder: values.folder });
  process.stdout.write(report(created));
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { folder: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
  } catch (error) {
    // Node's own second sentence leads elsewhere.
    const [says = ""] = (error as Error).message.split(". ");
    throw new Error(`${says}\n\n${USAGE}`, { cause: error });
  }
}

/** Asks where there is somebody to answer; a script gets an error instead of a question that nobody sees. */
async function ask(): Promise<string> {
  if (!process.stdin.isTTY) throw new Error(`the name is missing\n\n${USAGE}`);
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    for (;;) {
      const answer = await lines.question("What is the provider called (such as acme)? ");
      try {
        return namesOf(answer) && answer;
      } catch (error) {
        process.stdout.write(`${(error as Error).message}\n`);
      }
    }
  } finally {
    lines.close();
  }
}

function report({ names, folder, files }: Created): string {
  const where = relative(process.cwd(), folder) || ".";
  const { node } = process.versions;
  const wanted = `\nIts tests need Node ${NODE_RANGE}; this is ${node}.\n`;
  return `${names.packageName}: ${files.length} files in ${where}

  cd ${where}
  npm install
  npm test                 all green, for it speaks to a server that comes with the kit
  npm run conformance      what it promises, one line for each check

Then make it yours: src/wire.ts, src/encode.ts and src/decode.ts say what your server says.
${isAccepted(node) ? "" : wanted}`;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
