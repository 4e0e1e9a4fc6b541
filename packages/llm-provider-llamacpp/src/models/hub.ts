import { LlmError } from "@enginehouse/llm-core";

import { partNames, readPartName } from "./model-file.ts";
import { hasQuantization, type PullReference, targetPath } from "./reference.ts";
import type { Web } from "./web.ts";

/** One file to fetch. */
export interface RemoteFile {
  readonly url: URL;
  /** Below the models folder, with slashes. */
  readonly target: string;
  readonly sizeBytes: number | undefined;
  readonly sha256: string | undefined;
}

const PREFERRED = [
  "Q4_K_M",
  "Q4_K_S",
  "Q4_0",
  "Q5_K_M",
  "Q4_1",
  "IQ4_XS",
  "IQ4_NL",
  "Q8_0",
  "Q6_K",
  "Q5_K_S",
  "Q3_K_M",
  "F16",
  "BF16",
  "F32",
];
const LISTING_LIMIT = 16_000_000;
const MAX_PAGES = 20;

/** Asks the hub which files a reference means, with their sizes and sums. */
export async function resolveHubFiles(
  reference: Extract<PullReference, { kind: "hub" }>,
  web: Web,
  hubUrl: string,
  signal: AbortSignal,
): Promise<readonly RemoteFile[]> {
  const base = hubUrl.replace(/\/+$/, "");
  const { repository, revision } = reference;
  const entries = await listFiles(
    new URL(`${base}/api/models/${repository}/tree/${encodeURIComponent(revision)}?recursive=true`),
    web,
    signal,
  );
  const chosen = chooseFile(reference, entries);
  return chosen.map((entry) => ({
    url: new URL(
      `${base}/${repository}/resolve/${encodeURIComponent(revision)}/${entry.path.split("/").map(encodeURIComponent).join("/")}`,
    ),
    target: targetPath(reference, entry.path),
    sizeBytes: entry.sizeBytes,
    sha256: entry.sha256,
  }));
}

interface Entry {
  readonly path: string;
  readonly sizeBytes: number | undefined;
  readonly sha256: string | undefined;
}

async function listFiles(first: URL, web: Web, signal: AbortSignal): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  let url: URL | undefined = first;
  for (let page = 0; url !== undefined && page < MAX_PAGES; page++) {
    const reply = await web.get(url, { signal, headers: { accept: "application/json" } });
    entries.push(...readEntries(await reply.text(LISTING_LIMIT), `${url.origin}${url.pathname}`));
    const next: string | undefined = /<([^>]+)>;\s*rel="next"/.exec(reply.headers.get("link") ?? "")?.[1];
    const following: URL | undefined = next === undefined ? undefined : new URL(next, url);
    url = following?.origin === first.origin ? following : undefined;
  }
  return entries;
}

function readEntries(text: string, address: string): readonly Entry[] {
  let listing: unknown;
  try {
    listing = JSON.parse(text);
  } catch (error) {
    throw new LlmError("invalid-response", `${address} answered with something that is not JSON`, {
      cause: error,
      hint: "Is HF_ENDPOINT the address of a hub?",
    });
  }
  if (!Array.isArray(listing))
    throw new LlmError("invalid-response", `${address} answered without a list of files`);
  return listing.flatMap((entry: unknown): readonly Entry[] => {
    const path = field(entry, "path");
    if (typeof path !== "string" || field(entry, "type") !== "file") return [];
    const lfs = field(entry, "lfs");
    const size = field(lfs, "size") ?? field(entry, "size");
    const sum = field(lfs, "oid");
    return [
      {
        path,
        sizeBytes: typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
        sha256: typeof sum === "string" && /^[0-9a-f]{64}$/i.test(sum) ? sum.toLowerCase() : undefined,
      },
    ];
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function chooseFile(
  { repository, file, quantization }: Extract<PullReference, { kind: "hub" }>,
  entries: readonly Entry[],
): readonly Entry[] {
  const models = entries.filter(({ path }) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const part = readPartName(name);
    return /\.gguf$/i.test(name) && !/mmproj|imatrix/i.test(name) && (part === undefined || part.index === 1);
  });
  if (models.length === 0) {
    throw new LlmError("model-not-found", `${repository} has no GGUF file`, {
      hint: "Look for a repository with GGUF in its name: the same model is often there.",
    });
  }
  const sorted = models.toSorted((a, b) => a.path.length - b.path.length || a.path.localeCompare(b.path));
  let chosen: Entry | undefined;
  if (file !== undefined) chosen = entries.find(({ path }) => path === file);
  else if (quantization !== undefined)
    chosen = sorted.find(({ path }) => hasQuantization(path, quantization));
  else {
    for (const name of PREFERRED) chosen ??= sorted.find(({ path }) => hasQuantization(path, name));
    chosen ??= sorted[0];
  }
  if (chosen === undefined) {
    const there = sorted
      .map(({ path }) => path)
      .slice(0, 12)
      .join(", ");
    throw new LlmError(
      "model-not-found",
      `${repository} has no ${file ?? `file in ${quantization ?? "GGUF"}`}`,
      { hint: `It has ${there}${sorted.length > 12 ? ", …" : ""}.` },
    );
  }
  const folder = chosen.path.slice(0, chosen.path.lastIndexOf("/") + 1);
  return partNames(chosen.path.slice(folder.length)).map((name) => {
    const part = entries.find(({ path }) => path === folder + name);
    if (part !== undefined) return part;
    throw new LlmError("model-not-found", `${repository} lacks ${folder}${name}, a part of the model`);
  });
}
