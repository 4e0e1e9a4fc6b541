import type { Block, Extracted } from "../extract/extracted.ts";
import { headingText } from "../extract/heading.ts";
import type { StagedWindow } from "../store/store.ts";
import { sentences } from "./sentences.ts";
import { endWithin, estimateTokens } from "./tokens.ts";

export interface ChunkSettings {
  readonly parentTokens: number;
  readonly parentOverlap: number;
  readonly windowTokens: number;
  readonly windowOverlap: number;
}

/** The smallest piece that is never cut: a sentence, or a part of one that is longer than a window. */
interface Atom {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
  /** Begins a block; a heading block starts a section. */
  readonly begins: "section" | "block" | "sentence";
  readonly path: readonly string[];
}

/**
 * Windows to index and the parents around them. Together the windows cover every character that is not white space;
 * each is a whole number of sentences wherever sentences are short enough, and prefers to end where a block or section ends.
 */
export function chunk(
  extracted: Pick<Extracted, "text" | "blocks">,
  settings: ChunkSettings,
): readonly StagedWindow[] {
  const atoms = toAtoms(extracted.text, extracted.blocks, settings.windowTokens);
  return withParents(toWindows(atoms, settings), atoms, settings);
}

/** Cuts a part of a text that is too long for an embedder into two or more, at the best places there are. */
export function splitText(
  text: string,
  tokens: number,
): readonly { readonly start: number; readonly end: number }[] {
  const blocks: readonly Block[] = [{ start: 0, end: text.length, kind: "paragraph" }];
  const atoms = toAtoms(text, blocks, tokens);
  const windows = toWindows(atoms, { windowTokens: tokens, windowOverlap: 0 });
  return windows.map(({ first, last }) => ({
    start: atoms[first]?.start ?? 0,
    end: atoms[last]?.end ?? text.length,
  }));
}

function toAtoms(text: string, blocks: readonly Block[], limit: number): readonly Atom[] {
  const atoms: Atom[] = [];
  const path: { readonly level: number; readonly title: string }[] = [];
  for (const block of covering(text, blocks)) {
    if (block.kind === "heading") {
      const level = block.level ?? 1;
      while (path.length > 0 && (path.at(-1)?.level ?? 0) >= level) path.pop();
      const title = headingText(text.slice(block.start, block.end))
        .slice(0, 200)
        .replace(/\p{Surrogate}$/u, "");
      if (title !== "") path.push({ level, title });
    }
    const titles = path.map(({ title }) => title);
    const spans =
      block.kind === "code" || block.kind === "table"
        ? lines(text, block)
        : sentences(text, block.start, block.end);
    const opening = block.kind === "heading" ? "section" : "block";
    let first = true;
    for (const span of spans) {
      for (const piece of pieces(text, span.start, span.end, limit)) {
        const begins = first ? opening : "sentence";
        atoms.push({ ...piece, tokens: estimateTokens(text, piece.start, piece.end), begins, path: titles });
        first = false;
      }
    }
  }
  return atoms;
}

/** The blocks, and paragraphs for whatever lies between them: nothing of the text is lost to an incomplete tree. */
function* covering(text: string, blocks: readonly Block[]): Generator<Block> {
  let at = 0;
  for (const block of blocks) {
    if (/\S/.test(text.slice(at, block.start))) yield { start: at, end: block.start, kind: "paragraph" };
    if (block.end > at) yield block.start >= at ? block : { ...block, start: at };
    at = Math.max(at, block.end);
  }
  if (/\S/.test(text.slice(at))) yield { start: at, end: text.length, kind: "paragraph" };
}

function lines(text: string, block: Block): readonly { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (let start = block.start; start < block.end;) {
    const next = text.indexOf("\n", start);
    const end = next === -1 || next > block.end ? block.end : next;
    if (/\S/.test(text.slice(start, end))) found.push({ start, end });
    start = end + 1;
  }
  return found;
}

/** A span in parts of at most `limit` tokens: cut at white space, else between characters, never inside one. */
function* pieces(
  text: string,
  start: number,
  end: number,
  limit: number,
): Generator<{ readonly start: number; readonly end: number }> {
  let from = start;
  for (let cut = endWithin(text, from, end, limit); cut < end; cut = endWithin(text, from, end, limit)) {
    const at =
      lastSpace(text, from + Math.floor((cut - from) / 2), cut) ?? betweenCharacters(text, from, cut);
    yield trimmed(text, from, at);
    from = at;
    while (from < end && /\s/.test(text.charAt(from))) from++;
  }
  if (from < end) yield { start: from, end };
}

function lastSpace(text: string, from: number, to: number): number | undefined {
  for (let at = to; at > from; at--) if (/\s/.test(text.charAt(at))) return at;
  return undefined;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The last boundary between two characters as people see them, at or before `at`; a surrogate pair is never cut. */
function betweenCharacters(text: string, from: number, at: number): number {
  const near = Math.max(from, at - 64);
  const start = near > from && isLow(text.charCodeAt(near)) ? near - 1 : near;
  let best = from;
  for (const { index } of graphemes.segment(text.slice(start, at + 64))) {
    const boundary = start + index;
    if (boundary > start && boundary <= at) best = boundary;
  }
  if (best > from) return best;
  // One endless character: between two code points at least.
  if (!isLow(text.charCodeAt(at))) return Math.max(at, from + 1);
  return at - 1 > from ? at - 1 : at + 1;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function trimmed(text: string, start: number, end: number): { readonly start: number; readonly end: number } {
  let last = end;
  while (last > start + 1 && /\s/.test(text.charAt(last - 1))) last--;
  return { start, end: last };
}

interface Run {
  readonly first: number;
  readonly last: number;
}

function toWindows(
  atoms: readonly Atom[],
  { windowTokens, windowOverlap }: Pick<ChunkSettings, "windowTokens" | "windowOverlap">,
): readonly Run[] {
  const windows: Run[] = [];
  let first = 0;
  while (first < atoms.length) {
    let last = first;
    let tokens = atoms[first]?.tokens ?? 0;
    let fresh = windows.length === 0 ? 0 : (windows.at(-1)?.last ?? -1) + 1;
    while (last + 1 < atoms.length) {
      const next = atoms[last + 1];
      if (next === undefined || tokens + next.tokens > windowTokens) break;
      if (next.begins === "section" && last >= fresh && tokens > windowTokens * 0.35) break;
      last++;
      tokens += next.tokens;
    }
    // A heading belongs to what follows it.
    while (last > Math.max(first, fresh) && last + 1 < atoms.length && atoms[last]?.begins === "section")
      last--;
    if (last < fresh) {
      // The overlap alone filled it: go on without.
      first = fresh;
      fresh = first;
      if (atoms[first] === undefined) break;
      continue;
    }
    windows.push({ first, last });
    if (last + 1 >= atoms.length) break;
    first = last + 1;
    if (atoms[first]?.begins === "section") continue;
    let overlap = 0;
    const former = windows.at(-1)?.first ?? 0;
    while (first - 1 > former) {
      const previous = atoms[first - 1];
      if (previous === undefined || overlap + previous.tokens > windowOverlap) break;
      overlap += previous.tokens;
      first--;
      if (previous.begins === "section") break;
    }
  }
  return windows;
}

/** Parents are runs of windows that begin a little earlier, with the end of the parent before. */
function withParents(
  windows: readonly Run[],
  atoms: readonly Atom[],
  settings: ChunkSettings,
): readonly StagedWindow[] {
  const result: StagedWindow[] = [];
  for (let from = 0; from < windows.length;) {
    const opening = windows[from]?.first ?? 0;
    let to = from;
    let tokens = sum(atoms, opening, windows[from]?.last ?? opening);
    const room = settings.parentTokens - (from === 0 ? 0 : settings.parentOverlap);
    while (to + 1 < windows.length) {
      const next = windows[to + 1];
      const last = windows[to]?.last ?? opening;
      if (next === undefined) break;
      const more = sum(atoms, last + 1, next.last);
      if (tokens + more > room) break;
      if (
        atoms[next.first]?.begins === "section" &&
        (atoms[next.first]?.path.length ?? 9) <= 1 &&
        tokens > room * 0.5
      )
        break;
      tokens += more;
      to++;
    }
    let start = opening;
    let overlap = 0;
    while (from > 0 && start > 0) {
      const previous = atoms[start - 1];
      if (previous === undefined || overlap + previous.tokens > settings.parentOverlap) break;
      overlap += previous.tokens;
      start--;
    }
    const parentStart = atoms[start]?.start ?? 0;
    const parentEnd = atoms[windows[to]?.last ?? 0]?.end ?? parentStart;
    for (let at = from; at <= to; at++) {
      const window = windows[at];
      const first = window && atoms[window.first];
      const last = window && atoms[window.last];
      if (window === undefined || first === undefined || last === undefined) continue;
      result.push({
        charStart: first.start,
        charEnd: last.end,
        parentStart,
        parentEnd,
        headingPath: pathOf(atoms, window),
      });
    }
    from = to + 1;
  }
  return result;
}

/** The section that most of the window is in: that of its first sentence that is no heading and no overlap of another section. */
function pathOf(atoms: readonly Atom[], { first, last }: Run): readonly string[] {
  const weights = new Map<readonly string[], number>();
  for (let at = first; at <= last; at++) {
    const atom = atoms[at];
    if (atom !== undefined) weights.set(atom.path, (weights.get(atom.path) ?? 0) + atom.tokens);
  }
  const shared = commonStart([...weights.keys()]);
  const heaviest = [...weights].toSorted((a, b) => b[1] - a[1])[0];
  const total = sum(atoms, first, last);
  return heaviest !== undefined && heaviest[1] >= total * 0.5 ? heaviest[0] : shared;
}

function commonStart(paths: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...others] = paths;
  const end = first.findIndex((title, at) => others.some((other) => other[at] !== title));
  return end === -1 ? first : first.slice(0, end);
}

function sum(atoms: readonly Atom[], first: number, last: number): number {
  let tokens = 0;
  for (let at = first; at <= last; at++) tokens += atoms[at]?.tokens ?? 0;
  return tokens;
}
