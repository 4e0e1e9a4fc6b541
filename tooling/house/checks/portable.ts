import type { SourceFile } from "./house.ts";

/** The beginnings of a place that exists on one machine only. */
const place = /(?:^|[\s"'`(=:])(\/(?:root|home|Users|work|private|mnt)\/(?!you\b)[\w.-]+)/m;

/** Files that lead to a place on somebody's own machine. */
export function bound(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    const found = place.exec(text)?.[1];
    return found === undefined ? [] : [`${path} leads to ${found}`];
  });
}
