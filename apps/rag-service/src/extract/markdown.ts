import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

import { decode } from "./charset.ts";
import type { Block, Extracted, Progress } from "./extracted.ts";

/** The parser's tree takes many times the room of its text: large files are parsed in parts that begin at a heading. */
const PART = 500_000;

/** Markdown is stored as it was written; the tree only says where its blocks are. */
export function extractMarkdown(bytes: Uint8Array, progress: Progress): Extracted {
  const { text, warnings } = decode(bytes);
  const blocks: Block[] = [];
  let title: string | undefined;
  const front = /^---\n[\s\S]*?\n---\n/.exec(text)?.[0] ?? "";
  for (let start = front.length; start < text.length;) {
    const end = partEnd(text, start);
    const tree = fromMarkdown(text.slice(start, end), {
      extensions: [gfm()],
      mdastExtensions: [gfmFromMarkdown()],
    });
    for (const node of tree.children) {
      if (node.type === "heading") title ??= plainText(node).trim() || undefined;
      addBlocks(node, start, blocks);
    }
    start = end;
    progress(start, text.length);
  }
  title = /^title:\s*["']?(.+?)["']?\s*$/m.exec(front)?.[1] ?? title;
  return { text, blocks, pages: undefined, title, mediaType: "text/markdown", warnings };
}

function partEnd(text: string, start: number): number {
  if (text.length - start <= PART) return text.length;
  const heading = text.lastIndexOf("\n\n#", start + PART);
  if (heading > start) return heading + 2;
  const blank = text.lastIndexOf("\n\n", start + PART);
  return blank > start ? blank + 2 : Math.min(text.length, start + 2 * PART);
}

function addBlocks(node: Nodes, offset: number, blocks: Block[]): void {
  if (node.type === "list" || node.type === "blockquote") {
    for (const child of node.children) addBlocks(child, offset, blocks);
    return;
  }
  const start = node.position?.start.offset;
  const end = node.position?.end.offset;
  if (start === undefined || end === undefined || end <= start) return;
  const kind = kindOf(node);
  if (kind !== undefined) {
    blocks.push({
      start: offset + start,
      end: offset + end,
      kind,
      ...(node.type === "heading" && { level: node.depth }),
    });
  }
}

const KINDS: Readonly<Partial<Record<Nodes["type"], Block["kind"] | "none">>> = {
  heading: "heading",
  listItem: "list-item",
  code: "code",
  table: "table",
  thematicBreak: "none",
};

function kindOf(node: Nodes): Block["kind"] | undefined {
  const kind = KINDS[node.type] ?? "paragraph";
  return kind === "none" ? undefined : kind;
}

function plainText(node: Nodes): string {
  if ("value" in node) return node.value;
  return "children" in node ? node.children.map(plainText).join("") : "";
}
