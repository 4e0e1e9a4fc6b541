import { readFile, rm, stat } from "node:fs/promises";

import type { RemoteFile } from "./hub.ts";
import type { WebReply } from "./web.ts";

/** What is known of a part: whether the rest of the same file can be put behind it. */
export interface PartNote {
  readonly url: string;
  readonly etag?: string | undefined;
  readonly sha256?: string | undefined;
}

/** What of a part can be kept. */
export interface KnownPart {
  readonly bytes: number;
  readonly etag: string | undefined;
}

/** How much of the part can be kept: only of the very same file. */
export async function resumable(remote: RemoteFile, part: string, notePath: string): Promise<KnownPart> {
  const [found, note] = await Promise.all([stat(part).catch(() => undefined), readNote(notePath)]);
  const nothing = { bytes: 0, etag: undefined };
  if (found === undefined || note === undefined || found.size === 0) return nothing;
  const sums = remote.sha256 !== undefined && note.sha256 !== undefined;
  const sameSum = sums && note.sha256 === remote.sha256;
  const sameTag = !sums && note.url === remote.url.href && note.etag !== undefined;
  if (!sameSum && !sameTag) return nothing;
  if (remote.sizeBytes !== undefined && found.size > remote.sizeBytes) return nothing;
  // With an equal sum the content is the same, whatever tag a mirror gives it.
  return { bytes: found.size, etag: sameSum ? undefined : note.etag };
}

export async function readNote(path: string): Promise<PartNote | undefined> {
  try {
    const note: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof note !== "object" || note === null) return undefined;
    const text = (name: string): string | undefined => {
      const value: unknown = Reflect.get(note, name);
      return typeof value === "string" ? value : undefined;
    };
    return { url: text("url") ?? "", etag: text("etag"), sha256: text("sha256") };
  } catch {
    return undefined;
  }
}

/** Removes what a cancelled or broken download has left. */
export async function removePart(path: string): Promise<number> {
  const found = await stat(`${path}.part`).catch(() => undefined);
  await Promise.all([`${path}.part`, `${path}.part.json`].map((one) => rm(one, { force: true })));
  return found?.size ?? 0;
}

/** Whether the reply begins where the part ends. A whole file in its stead is right too. */
export function continues(reply: WebReply, kept: number): boolean {
  return reply.status === 200 || (reply.status === 206 && readExtent(reply).start === kept);
}

/** Where the reply's bytes belong, and how long the file is. */
export function readExtent(reply: WebReply): { readonly start: number; readonly total: number | undefined } {
  const length = reply.headers.get("content-length");
  const announced = length === null || !/^\d+$/.test(length) ? undefined : Number(length);
  if (reply.status !== 206) return { start: 0, total: announced };
  const [, from, whole] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(reply.headers.get("content-range") ?? "") ?? [];
  const start = from === undefined ? Number.NaN : Number(from);
  if (whole !== "*" && whole !== undefined) return { start, total: Number(whole) };
  return { start, total: announced === undefined ? undefined : start + announced };
}

/** The sum that the hub tells of a file, before it leads on to where the file is. */
export function sumOf({ firstHeaders, headers }: WebReply): string | undefined {
  const tag = (firstHeaders.get("x-linked-etag") ?? headers.get("x-linked-etag"))?.replaceAll('"', "");
  return tag !== undefined && /^[0-9a-f]{64}$/i.test(tag) ? tag.toLowerCase() : undefined;
}
