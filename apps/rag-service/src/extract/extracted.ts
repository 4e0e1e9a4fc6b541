import type { PageStart } from "../store/store.ts";

export type BlockKind = "heading" | "paragraph" | "list-item" | "code" | "table" | "quote";

/** A piece of the structure of a text: UTF-16 offsets into it. Blocks are in order and do not overlap. */
export interface Block {
  readonly start: number;
  readonly end: number;
  readonly kind: BlockKind;
  /** Of a heading: 1 is the largest. */
  readonly level?: number | undefined;
}

/** What reading a file gives. The text is what is stored, shown and cited; nothing is cut from it later. */
export interface Extracted {
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Where pages start, for documents that have pages. */
  readonly pages: readonly PageStart[] | undefined;
  /** The document's own title, if it has one. */
  readonly title: string | undefined;
  readonly mediaType: string;
  readonly warnings: readonly string[];
}

export type Progress = (done: number, total: number) => void;
