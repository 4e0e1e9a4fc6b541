import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, platform, release } from "node:os";

import { markdown, type Table } from "./measure.ts";
import { sizeTables } from "./size/size.ts";
import { coldTables, slowTable, stopTable, streamTables } from "./stream/stream.ts";

const PAGE = new URL("../../docs/benchmarks.md", import.meta.url);

const JOBS: Record<string, (rounds: number) => Promise<readonly Table[]>> = {
  stream: streamTables,
  cold: coldTables,
  slow: async () => [await slowTable()],
  stop: async (rounds) => [await stopTable(Math.min(rounds, 3))],
  size: sizeTables,
  engine: async (rounds) => (await import("./engine/engine.ts")).engineTables(Math.min(rounds, 3)),
};

export async function main(args: readonly string[]): Promise<void> {
  const at = args.indexOf("--rounds");
  const rounds = at === -1 ? 5 : Number(args[at + 1]);
  const wanted = args.filter((arg) => Object.hasOwn(JOBS, arg));
  const unknown = args.filter(
    (arg, index) => !wanted.includes(arg) && arg !== "--write" && index !== at && index !== at + 1,
  );
  if (unknown.length > 0)
    throw new Error(`unknown: ${unknown.join(" ")}; there are ${Object.keys(JOBS).join(", ")}`);
  for (const name of wanted.length > 0 ? wanted : Object.keys(JOBS)) {
    console.error(`measuring ${name}`);
    const tables = (await JOBS[name]?.(rounds)) ?? [];
    const text = tables.map(markdown).join("\n");
    console.log(text);
    if (args.includes("--write")) await writeSection(name, text);
  }
}

/** Replaces the section between the marks of `name`. */
async function writeSection(name: string, text: string): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`docs/benchmarks.md has no marks for ${name}`);
  const date = new Date().toISOString().slice(0, 10);
  const where = `Measured ${date}, Node ${process.version}, ${platform()} ${release().split("-")[0]}, ${availableParallelism()} cores.`;
  await writeFile(PAGE, `${page.slice(0, from)}${begin}\n\n${where}\n\n${text}\n${page.slice(to)}`);
}
