/** A piece of a Markdown text in code font, and the line it stands on. */
export interface CodeSpan {
  readonly text: string;
  readonly line: number;
}

/** A block between fences: its language, its lines. */
export interface CodeBlock {
  readonly language: string;
  /** The file that it is from, where it says so: `title=src/index.ts` after the language. */
  readonly title: string | undefined;
  readonly lines: readonly string[];
  readonly line: number;
}

export interface Prose {
  readonly spans: readonly CodeSpan[];
  readonly blocks: readonly CodeBlock[];
  readonly links: readonly CodeSpan[];
  readonly headings: readonly Heading[];
}

export interface Heading {
  readonly level: number;
  readonly text: string;
}

/** What of a Markdown text can be wrong: code, links, headings. */
export function readProse(markdown: string): Prose {
  const spans: CodeSpan[] = [];
  const blocks: CodeBlock[] = [];
  const links: CodeSpan[] = [];
  const headings: Heading[] = [];
  let open: { language: string; title: string | undefined; lines: string[]; line: number } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    const line = index + 1;
    const fence = /^\s*```(\S*)(?:.*\btitle=(\S+))?/.exec(text);
    if (fence !== null) {
      if (open === undefined) open = { language: fence[1] ?? "", title: fence[2], lines: [], line };
      else {
        blocks.push(open);
        open = undefined;
      }
      continue;
    }
    if (open !== undefined) {
      open.lines.push(text);
      continue;
    }
    if (/^ {4}\S/.test(text)) blocks.push({ language: "", title: undefined, lines: [text.trim()], line });
    const heading = /^(#+) (.*)$/.exec(text);
    if (heading !== null) headings.push({ level: heading[1]?.length ?? 0, text: heading[2] ?? "" });
    for (const [, span = ""] of text.matchAll(/`([^`]+)`/g)) spans.push({ text: span, line });
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) links.push({ text: target, line });
  }
  return { spans, blocks, links, headings };
}

/** The cells of the first table below a heading, its own heading row left out. */
export function rowsOfTable(markdown: string, heading: string): readonly (readonly string[])[] {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.includes(heading));
  if (start < 0) return [];
  const first = lines.findIndex((line, index) => index > start && line.startsWith("|"));
  if (first < 0) return [];
  const after = lines.findIndex((line, index) => index > first && !line.startsWith("|"));
  return lines.slice(first + 2, after < 0 ? undefined : after).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

export function wordsInCode(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
}

/** The part of a text below a heading of the second level, up to the next one. */
export function section(markdown: string, heading: string): string | undefined {
  const [, ...parts] = markdown.split(/^## /m);
  const part = parts.find((text) => text.split("\n", 1)[0]?.trim() === heading);
  return part?.slice(part.indexOf("\n") + 1);
}

/** What GitHub makes of a heading in an address. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}
