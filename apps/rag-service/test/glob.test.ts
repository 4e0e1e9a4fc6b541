import { matchesGlob } from "node:path";

import { describe, expect, test } from "vitest";

import { createGlobs, GLOB_LIMITS, globFault } from "../src/ingest/glob.ts";

const PATHS = [
  "a",
  "b",
  "ab",
  "a.md",
  "b.txt",
  "A.md",
  "draft",
  "draft-2.md",
  "deep/draft.txt",
  "deep/er/draft",
  "deep/a.md",
  "deep/er/b.md",
  "a/b",
  "a/b/c",
  "a/c",
  "a/x/c",
  "ab/c",
  "2023/07.pdf",
  "2024/12.pdf",
  "report (1).pdf",
  "x{a}",
  "{a,b",
  "[a",
  "[]",
  "[!]",
  "c]",
  "a-",
  "#a",
  "!a",
  "a+b",
  "été.md",
  "aaab",
  "mississippi",
];

/** What each fits is node's to tell: the table says only what is asked. */
const PATTERNS = String.raw`
  a * ** *.md **/*.md **/draft* deep/** deep/* deep/**/*.md **/er/** **/c
  a/** a/**/c a/*/c a//b a/ /a **/ **/**/c **/./*.md a\b *** ***/c a** a**/c
  a*b a***b ? ?? ?.md *.??? *t* *s*s*p* *i *issip* m*x #a !a !b a+b été.* ?t?.md
  [ab] [!a] [^b] [a-c].* [!a-c]* [z-a] a[-] a[a-] [[]a [a [] [!] []c] [A-Z].md report?[(]*
  {a,b} {a,b}.* *.{md,txt} {deep,a}/** {deep/er,a}/* a{,b} a/{x,}/c {**/er,a}/* {a,b}{,c,.md}
  {a,{b,d{raft,eep/a.md}}} x{a} {a,b {a,{b} 20{23..24}/* */{01..07}.pdf {9..7} {a..c} {c..a}.md {} a} {a..9}
`
  .trim()
  .split(/\s+/);

describe("a pattern", () => {
  test.each(PATTERNS)("%s fits what it fits for node", (pattern) => {
    const fits = createGlobs([pattern], false);
    expect(PATHS.filter(fits)).toEqual(PATHS.filter((path) => matchesGlob(path, pattern)));
  });

  test("may begin with the folder itself, takes a character for one, and minds no case where the disk does not", () => {
    expect(createGlobs(["./*.md"], false)("a.md")).toBe(true);
    expect(createGlobs(["?"], false)("😀")).toBe(true);
    expect(createGlobs(["*.MD"], true)("a.md")).toBe(true);
    expect(createGlobs(["*.MD"], false)("a.md")).toBe(false);
  });
});

describe("a pattern is soon answered, other than by a regular expression:", () => {
  const name = "a".repeat(255);
  const path = Array.from({ length: 15 }, () => name).join("/");
  test.each([
    ["stars", `${"*a".repeat(16)}*b`],
    ["as many stars as there may be", `${"*a".repeat(249)}b`],
    ["a set at the end", `${"a*".repeat(200)}[!a]`],
    ["folders and stars", `${"**/*a*a/".repeat(60)}b`],
    ["long names between folders", `**/${"*a".repeat(200)}*b/**/${"?*".repeat(40)}b`],
    ["braces before stars", `${"{a,b}".repeat(6)}${"*a".repeat(16)}b`],
    ["brackets that nothing closes", `${"[".repeat(499)}*`],
    ["braces that nothing closes", "{".repeat(500)],
    ["braces around nothing", `${"{".repeat(250)}${"}".repeat(250)}`],
    ["braces inside each other", `${"{a,".repeat(120)}${"}".repeat(120)}`],
  ])("%s", (_what, pattern) => {
    const fits = createGlobs([pattern], false);
    expect([`${"a".repeat(60)}.txt`, name, path].filter(fits)).toEqual([]);
  });

  test("as many as there may be", () => {
    const fits = createGlobs(
      Array.from({ length: 100 }, () => `**/${"*a".repeat(23)}b`),
      false,
    );
    expect(fits(path)).toBe(false);
  });
});

describe("a list of patterns is refused", () => {
  const braces = "stand for more than 500 patterns";
  test.each([
    ["many braces", "{a,b}".repeat(17), braces],
    ["more braces than can be counted", "{a,b}".repeat(100), braces],
    ["a long range", "{1..999999999}", braces],
    ["many ranges", "{1..500}".repeat(60), braces],
    ["what braces make of a long pattern", `{1..500}${"a".repeat(100)}`, "more than 5000 characters"],
    ["a long pattern", "a".repeat(501), "more than 500 characters"],
    ["a group", "!(draft)*", "has a group"],
    ["a group behind braces", "{!,@}(a|b)", "has a group"],
    ["a named class", "[[:alpha:]]*", "has a named class"],
  ])("for %s", (_what, pattern, fault) => {
    expect(globFault([pattern])).toContain(fault);
    expect(() => createGlobs([pattern], false)).toThrow(fault);
  });

  test("for its length, and never for less", () => {
    const patterns = (length: number) => Array.from({ length }, () => "*.md");
    expect(globFault(patterns(GLOB_LIMITS.patterns + 1))).toContain("more than 100 patterns");
    expect(globFault(patterns(GLOB_LIMITS.patterns))).toBeUndefined();
    expect(globFault(["{1..500}", "{a,b}".repeat(8), "a".repeat(500)])).toBeUndefined();
  });
});
