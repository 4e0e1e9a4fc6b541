import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { figure, inProcess, median, type Table } from "../measure.ts";

interface Subject {
  readonly name: string;
  /** A minimal streamed chat. */
  readonly source: string;
  /** The packages in it. */
  readonly packages: readonly string[];
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "llm-core, a provider without a backend (echo)",
    source: `
      import { createEcho } from "@enginehouse/llm-provider-echo";
      const chat = createEcho().stream({ model: "echo", messages: [{ role: "user", content: "hi" }] });
      for await (const event of chat) if (event.type === "text-delta") process.stdout.write(event.text);`,
    packages: ["@enginehouse/llm-core", "@enginehouse/llm-provider-echo"],
  },
  {
    name: "llm-core, llm-wire, a provider for two wires on both transports",
    source: `
      import { createOurs } from "./clients/ours.ts";
      const onText = (text) => void process.stdout.write(text);
      await createOurs("fetch", "sse")({ base: "http://127.0.0.1", model: "m", onText });`,
    packages: ["@enginehouse/llm-core", "@enginehouse/llm-wire"],
  },
];

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
/** Kilobytes of 1,024 bytes, gzipped. */
const BAR = 6;

interface Bundle {
  readonly minified: number;
  readonly gzipped: number;
  /** Minified, by the folder that it comes from. */
  readonly parts: ReadonlyMap<string, number>;
}

async function bundle(source: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: FOLDER, loader: "ts" },
    absWorkingDir: FOLDER,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node22",
    write: false,
    metafile: true,
    logLevel: "error",
    outdir: "bundle",
    splitting: true,
    external: ["zod"],
  });
  const { outputs } = metafile;
  const wanted = new Set(Object.keys(outputs).filter((file) => outputs[file]?.entryPoint === "<stdin>"));
  // What is imported by a statement comes along; what is imported at its first use has a file of its own.
  for (const file of wanted)
    for (const { kind, path } of outputs[file]?.imports ?? [])
      if (kind === "import-statement" && path in outputs) wanted.add(path);
  const bytes = Buffer.concat(
    outputFiles.filter(({ path }) => wanted.has(relative(FOLDER, path))).map(({ contents }) => contents),
  );
  const parts = new Map<string, number>();
  for (const file of wanted) {
    for (const [input, { bytesInOutput }] of Object.entries(outputs[file]?.inputs ?? {})) {
      const part = /packages\/([^/]+)\//.exec(input)?.[1] ?? "the client";
      parts.set(part, (parts.get(part) ?? 0) + bytesInOutput);
    }
  }
  return { minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length, parts };
}

const kilobytes = (bytes: number): string => figure(bytes / 1_024, 1);

async function importMb(packages: readonly string[]): Promise<number> {
  return (await inProcess<{ importMb: number }>("./stream/import.mjs", packages)).importMb;
}

export async function sizeTables(rounds = 3): Promise<Table[]> {
  const rows: string[][] = [];
  for (const { name, source, packages } of SUBJECTS) {
    const { minified, gzipped, parts } = await bundle(source);
    const memory: number[] = [];
    for (let round = 0; round < rounds * 3; round += 1)
      memory.push((await importMb(packages)) - (await importMb(["data:text/javascript,"])));
    const shares = [...parts].map(([part, bytes]) => `${part} ${kilobytes(bytes)}`);
    rows.push([
      name,
      kilobytes(minified),
      kilobytes(gzipped),
      figure(gzipped / 1_024 / BAR),
      shares.join(", "),
      figure(median(memory), 1),
    ]);
  }
  return [
    {
      title: "The size of a streamed chat",
      note:
        `A bundle with all that a minimal chat needs, minified by esbuild, then gzipped, in KB, and as a ratio to the bar of ${BAR} KB. Not counted: what is imported at the first use ` +
        "(zod, node:http). Memory: what a fresh process grew by when it imported the built packages, less what it grows by for an empty module (some 3 MB); median.",
      columns: ["chat", "minified KB", "gzipped KB", "/ bar", "of the minified", "import MB"],
      rows,
    },
  ];
}
