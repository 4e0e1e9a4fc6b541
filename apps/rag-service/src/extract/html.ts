import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom";

import { clean, decode } from "./charset.ts";
import type { Block, Extracted } from "./extracted.ts";

/** HTML: the article in it where one is found, else the whole body. Nothing it points to is fetched. */
export function extractHtml(bytes: Uint8Array): Extracted {
  const declared = /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(
    Buffer.from(bytes.subarray(0, 2048)).toString("latin1"),
  )?.[1];
  const { text: source, warnings } = decode(bytes, declared);
  const { document } = parseHTML(
    /<html[\s>]/i.test(source) ? source : `<!doctype html><html><body>${source}</body></html>`,
  );
  const title = document.querySelector("title")?.textContent?.replace(/\s+/g, " ").trim() || undefined;
  const whole = walk(document.body);
  const article = readArticle(source);
  const chosen = article !== undefined && article.text.length >= whole.text.length * 0.4 ? article : whole;
  const heading = chosen.blocks.find((block) => block.kind === "heading");
  return {
    ...chosen,
    pages: undefined,
    title: title ?? (heading && chosen.text.slice(heading.start, heading.end)),
    mediaType: "text/html",
    warnings,
  };
}

function readArticle(source: string): Walked | undefined {
  try {
    // It takes the tree apart, so it gets one of its own.
    const { document } = parseHTML(source);
    const article = new Readability(document as ConstructorParameters<typeof Readability>[0], {
      serializer: (node: unknown) => node,
      charThreshold: 200,
    }).parse();
    return article?.content ? walk(article.content) : undefined;
  } catch {
    return undefined;
  }
}

interface Walked {
  readonly text: string;
  readonly blocks: readonly Block[];
}

interface TreeNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly textContent: string | null;
  readonly childNodes: Iterable<TreeNode>;
}

const SKIPPED = new Set([
  "SCRIPT",
  "STYLE",
  "NOSCRIPT",
  "TEMPLATE",
  "SVG",
  "IFRAME",
  "OBJECT",
  "HEAD",
  "NAV",
  "BUTTON",
  "SELECT",
]);
const BLOCKS = new Set(
  "ADDRESS ARTICLE ASIDE BLOCKQUOTE BODY DD DETAILS DIV DL DT FIELDSET FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN OL P PRE SECTION SUMMARY TABLE TBODY TD TFOOT TH THEAD TR UL".split(
    " ",
  ),
);

/** The text of a tree in reading order, one line for each block, and where the blocks are. */
function walk(root: unknown): Walked {
  let text = "";
  let line = "";
  const blocks: Block[] = [];

  function flush(kind: Block["kind"] = "paragraph", level?: number): void {
    const content = kind === "code" ? line.replace(/^\n+/, "").trimEnd() : line.replace(/\s+/g, " ").trim();
    line = "";
    if (content === "") return;
    const ready = clean(content);
    if (text !== "") text += "\n\n";
    blocks.push({
      start: text.length,
      end: text.length + ready.length,
      kind,
      ...(level !== undefined && { level }),
    });
    text += ready;
  }

  function visit(node: TreeNode, kind: Block["kind"], pre: boolean): void {
    if (node.nodeType === 3) {
      line += pre ? (node.textContent ?? "") : (node.textContent ?? "").replace(/\s+/g, " ");
      return;
    }
    if (node.nodeType !== 1) return;
    const name = node.nodeName.toUpperCase();
    if (SKIPPED.has(name)) return;
    if (name === "BR") {
      line += pre ? "\n" : " ";
      return;
    }
    if (name === "TR") {
      flush(kind);
      const cells = [...node.childNodes].filter((cell) => cell.nodeType === 1);
      if (!cells.some(isLayout)) {
        line = cells.map((cell) => wordsOf(cell).replace(/\s+/g, " ").trim()).join(" | ");
        flush("table");
        return;
      }
    }
    if (!BLOCKS.has(name)) {
      for (const child of node.childNodes) visit(child, kind, pre);
      return;
    }
    flush(kind);
    const level = /^H([1-6])$/.exec(name)?.[1];
    const own = blockKind(name) ?? kind;
    for (const child of node.childNodes) visit(child, own, pre || name === "PRE");
    flush(own, level === undefined ? undefined : Number(level));
  }

  visit(root as TreeNode, "paragraph", false);
  flush();
  return { text, blocks };
}

/** A cell with headings or a table of its own places things on a page: what it holds is read block by block. */
function isLayout(cell: TreeNode): boolean {
  // What names a column may well be written as a heading.
  if (/^TH$/i.test(cell.nodeName)) return false;
  return [...cell.childNodes].some(
    (child) => child.nodeType === 1 && (/^(?:H[1-6]|TABLE)$/i.test(child.nodeName) || isLayout(child)),
  );
}

/** Lines and blocks inside a cell are told apart by a blank. */
function wordsOf(node: TreeNode): string {
  if (node.nodeType === 3) return node.textContent ?? "";
  const name = node.nodeName.toUpperCase();
  if (node.nodeType !== 1 || SKIPPED.has(name)) return "";
  const inside = [...node.childNodes].map(wordsOf).join("");
  return name === "BR" || BLOCKS.has(name) ? ` ${inside} ` : inside;
}

function blockKind(name: string): Block["kind"] | undefined {
  if (/^H[1-6]$/.test(name)) return "heading";
  if (name === "LI" || name === "DT" || name === "DD") return "list-item";
  if (name === "PRE") return "code";
  if (name === "BLOCKQUOTE") return "quote";
  return undefined;
}
