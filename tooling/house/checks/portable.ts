import type { SourceFile } from "./house.ts";

/** The beginnings of places that exist on one machine only. */
const place = /(?:^|[\s"'`(=:])(\/(?:root|work|mnt|private)\/[\w.-]+)/m;
/** Homes: a test may invent one. */
const home = /(?:^|[\s"'`(=:])(\/(?:home|Users)\/[\w.-]+)/m;

/** Files that lead to a place on somebody's own machine. */
export function bound(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    const isTest = /\/(test|e2e)\//.test(path);
    const found = place.exec(text)?.[1] ?? (isTest ? undefined : home.exec(text)?.[1]);
    return found === undefined ? [] : [`${path} leads to ${found}`];
  });
}
