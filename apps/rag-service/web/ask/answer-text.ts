import type { Sentence } from "../../src/api/schemas.ts";

/** The part of Markdown's tree that is of interest here. */
export interface MarkNode {
  type: string;
  value?: string;
  children?: MarkNode[];
  position?: { start: { offset?: number }; end: { offset?: number } };
  data?: { hName: string; hProperties: Record<string, string> };
}

/** Marks `[n]` that a model wrote itself. The service has read them; the page shows what it made of them. */
const MARKER = /[ \t]*\[\d{1,3}(?:\s*,\s*\d{1,3})*\]/g;

interface Piece {
  readonly start: number;
  readonly end: number;
}

interface Shown extends Sentence {
  /** Its index among the answer's sentences. */
  readonly at: number;
}

/**
 * A remark plugin: puts the numbers of its sources at the end of each supported sentence, and marks the sentences
 * that have none. Sentences are known by their offsets in the answer as it came.
 */
export function remarkSentences(answer: string, sentences: readonly Sentence[]) {
  const shown = sentences.map((sentence, at) => ({ ...sentence, at, end: endOfWords(answer, sentence) }));
  return () => (tree: MarkNode) => {
    const leaves: { node: MarkNode; parent: MarkNode; start: number; end: number }[] = [];
    collect(tree, leaves);
    // Each sentence's numbers go to the last piece of text that belongs to it.
    const places = new Map<MarkNode, Shown[]>();
    for (const sentence of shown) {
      const leaf = leaves.findLast(({ start, end }) => start < sentence.end && end > sentence.start);
      if (leaf === undefined) continue;
      places.set(leaf.node, [...(places.get(leaf.node) ?? []), sentence]);
    }
    const parents = new Set(leaves.map(({ parent }) => parent));
    for (const parent of parents) {
      parent.children = (parent.children ?? []).flatMap((node) => {
        const leaf = leaves.find((each) => each.node === node);
        return leaf === undefined ? [node] : split(node, leaf, shown, places.get(node) ?? []);
      });
    }
  };
}

/** Half-open marks at the end of a text that still comes are closed, so that they do not flicker as raw signs. */
export function closeMarks(text: string): string {
  const fences = text.match(/^ {0,3}(?:```|~~~)/gm)?.length ?? 0;
  if (fences % 2 === 1) return `${text}\n${/^ {0,3}(```|~~~)/m.exec(text)?.[1] ?? "```"}`;
  const start = text.lastIndexOf("\n\n") + 1;
  let tail = text
    .slice(start)
    .replace(/!?\[[^\]\n]*(?:\]\([^)\n]*)?$/, "")
    .replace(/(?:^|\s)(?:[*_~`]{1,3}|#{1,6}|[-+]|\d+\.)$/, "");
  for (const mark of ["`", "**", "~~", "*"]) {
    const plain = mark === "*" ? tail.replaceAll("**", "") : tail;
    const found =
      plain.match(mark === "*" ? /\*(?=\S)|(?<=\S)\*/g : new RegExp(escape(mark), "g"))?.length ?? 0;
    if (found % 2 === 1) tail = tail.endsWith(mark) ? tail.slice(0, -mark.length) : tail.trimEnd() + mark;
  }
  return text.slice(0, start) + tail;
}

function escape(text: string): string {
  return text.replaceAll(/[*`~]/g, "\\$&");
}

function endOfWords(answer: string, { start, end }: Sentence): number {
  const words = answer.slice(start, end).replace(/(?:\s|\[\d[\d\s,]*\])+$/, "");
  return start + words.length;
}

function collect(
  parent: MarkNode,
  leaves: { node: MarkNode; parent: MarkNode; start: number; end: number }[],
): void {
  for (const node of parent.children ?? []) {
    const start = node.position?.start.offset;
    const end = node.position?.end.offset;
    if ((node.type === "text" || node.type === "inlineCode") && start !== undefined && end !== undefined) {
      leaves.push({ node, parent, start, end });
    }
    collect(node, leaves);
  }
}

function split(
  node: MarkNode,
  leaf: Piece,
  sentences: readonly Shown[],
  ending: readonly Shown[],
): MarkNode[] {
  if (node.type === "inlineCode") return [node, ...ending.flatMap(chips)];
  const value = node.value ?? "";
  const cuts = sentences.flatMap(({ start, end }) => [start, end]);
  const bounds = [
    ...new Set([leaf.start, ...cuts.filter((cut) => cut > leaf.start && cut < leaf.end), leaf.end]),
  ];
  bounds.sort((a, b) => a - b);
  const pieces: MarkNode[] = [];
  for (const [index, start] of bounds.slice(0, -1).entries()) {
    const end = bounds[index + 1] ?? leaf.end;
    const isLast = end === leaf.end;
    const text = value
      .slice(start - leaf.start, isLast ? undefined : end - leaf.start)
      .replaceAll(MARKER, "");
    const within = sentences.find((sentence) => sentence.start <= start && end <= sentence.end);
    if (text !== "")
      pieces.push(within?.supported === false ? unsupported(text) : { type: "text", value: text });
    for (const sentence of ending) {
      if (sentence.end === end || (isLast && sentence.end > end)) attach(pieces, chips(sentence));
    }
  }
  return pieces;
}

/** Numbers stay on the line of the word that they follow. */
function attach(pieces: MarkNode[], numbers: readonly MarkNode[]): void {
  const last = pieces.at(-1);
  const word = last?.type === "text" ? /\S{1,30}$/.exec(last.value ?? "")?.[0] : undefined;
  if (last === undefined || word === undefined || numbers.length === 0) {
    pieces.push(...numbers);
    return;
  }
  pieces.pop();
  const rest = (last.value ?? "").slice(0, -word.length);
  if (rest !== "") pieces.push({ type: "text", value: rest });
  const children = [{ type: "text", value: word }, ...numbers];
  pieces.push({ type: "tail", data: { hName: "span", hProperties: { className: "tail" } }, children });
}

function unsupported(text: string): MarkNode {
  return {
    type: "unsupported",
    data: { hName: "span", hProperties: { className: "unsupported" } },
    children: [{ type: "text", value: text }],
  };
}

function chips({ at, supported, citations }: Shown): MarkNode[] {
  // For those who do not see the dotted line.
  if (supported === false)
    return [{ type: "unsupportedNote", data: { hName: "sup", hProperties: { note: "yes" } } }];
  return citations.map((n) => ({
    type: "chip",
    data: { hName: "sup", hProperties: { n: String(n), at: String(at) } },
  }));
}
