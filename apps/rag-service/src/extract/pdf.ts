import { getDocumentProxy } from "unpdf";

import type { PageStart } from "../store/store.ts";
import { clean } from "./charset.ts";
import type { Block, Extracted, Progress } from "./extracted.ts";
import { withoutPageNumbers } from "./page-numbers.ts";
import { refusal, unreadable } from "./refusal.ts";

interface Item {
  readonly str: string;
  readonly transform: readonly number[];
  readonly width: number;
  readonly height: number;
}

interface Line {
  text: string;
  readonly y: number;
  readonly height: number;
}

/** The text of a PDF page by page: lines put together to paragraphs, larger lines taken for headings. */
export async function extractPdf(bytes: Uint8Array, name: string, progress: Progress): Promise<Extracted> {
  const pdf = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 }).catch((error: unknown) => {
    throw refused(error, name);
  });
  const pages: PageStart[] = [];
  const blocks: Block[] = [];
  const blank: number[] = [];
  let text = "";
  const printed: (readonly Line[])[] = [];
  for (let page = 1; page <= pdf.numPages; page++) {
    progress(page - 1, pdf.numPages);
    printed.push(await readLines(pdf, page, name));
  }
  for (const [at, lines] of withoutPageNumbers(printed).entries()) {
    const page = at + 1;
    const paragraphs = toParagraphs(lines);
    if (paragraphs.length === 0) blank.push(page);
    if (text !== "") text += "\n\n";
    pages.push({ page, charStart: text.length });
    paragraphs.forEach((paragraph, index) => {
      if (index > 0) text += "\n\n";
      const start = text.length;
      text += paragraph.text;
      const { kind, level } = paragraph;
      blocks.push({ start, end: text.length, kind, ...(level !== undefined && { level }) });
    });
  }
  progress(pdf.numPages, pdf.numPages);
  const title = await readTitle(pdf);
  await pdf.loadingTask.destroy();
  if (text.trim() === "") {
    throw refusal({
      code: "unsupported",
      reason: "no-text",
      message: `"${name}" has ${pdf.numPages === 1 ? "one page" : `${pdf.numPages} pages`} but no text: it is probably a scan`,
      hint: "Run it through text recognition (OCR), for example with ocrmypdf, and add the result.",
      retryable: false,
    });
  }
  const warnings =
    blank.length === 0
      ? []
      : [
          `No text on page ${blank.slice(0, 20).join(", ")}${blank.length > 20 ? " …" : ""}: probably images.`,
        ];
  return { text, blocks, pages, title, mediaType: "application/pdf", warnings };
}

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

async function readLines(pdf: Pdf, number: number, name: string): Promise<readonly Line[]> {
  try {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const lines = toLines(items as readonly unknown[]);
    page.cleanup();
    return lines;
  } catch (error) {
    const fault = unreadable(`page ${number} of "${name}"`, error);
    throw refusal(fault);
  }
}

async function readTitle(pdf: Pdf): Promise<string | undefined> {
  const metadata: unknown = await pdf.getMetadata().catch(() => undefined);
  const info =
    typeof metadata === "object" && metadata !== null && "info" in metadata ? metadata.info : undefined;
  const title = typeof info === "object" && info !== null && "Title" in info ? info.Title : undefined;
  return typeof title === "string" && title.trim() !== "" ? clean(title).trim() : undefined;
}

function toLines(items: readonly unknown[]): readonly Line[] {
  const lines: Line[] = [];
  let current: Line | undefined;
  let right = 0;
  for (const item of items) {
    if (!isItem(item) || item.str === "") continue;
    const [, , , , x = 0, y = 0] = item.transform;
    const height = item.height || Math.abs(item.transform[3] ?? 0);
    if (
      current !== undefined &&
      Math.abs(current.y - y) < Math.max(current.height, height) * 0.5 &&
      x >= right - height * 2
    ) {
      const apart = x - right > height * 0.15 && !/\s$/.test(current.text) && !/^\s/.test(item.str);
      current.text += (apart ? " " : "") + item.str;
    } else if (item.str.trim() !== "") {
      current = { text: item.str, y, height };
      lines.push(current);
    }
    right = x + item.width;
  }
  for (const line of lines) line.text = clean(line.text).replace(/\s+/g, " ").trim();
  return lines.filter((line) => line.text !== "");
}

function isItem(item: unknown): item is Item {
  return typeof item === "object" && item !== null && "str" in item && "transform" in item;
}

function toParagraphs(
  lines: readonly Line[],
): readonly { text: string; readonly kind: Block["kind"]; readonly level: number | undefined }[] {
  // On a page of one heading and one line, the smaller of the two is the text.
  const body = lines.map((line) => line.height).toSorted((a, b) => a - b)[(lines.length - 1) >> 1] ?? 0;
  const gap = median(
    lines
      .slice(1)
      .map((line, at) => (lines[at]?.y ?? 0) - line.y)
      .filter((step) => step > 0),
  );
  const paragraphs: { text: string; kind: Block["kind"]; level: number | undefined }[] = [];
  let former: Line | undefined;
  for (const line of lines) {
    const level = headingLevel(line, body);
    const last = paragraphs.at(-1);
    const step = former === undefined ? 0 : former.y - line.y;
    // A jump upwards is the next column, where a paragraph may go on.
    const far = step > Math.max(gap * 1.4 + 1, level === undefined ? 0 : line.height * 1.6);
    const apart =
      former === undefined || last === undefined || far || Math.abs(former.height - line.height) > body * 0.1;
    const item = /^(?:[•‣◦▪–*-]|\(?\d{1,2}[.)])\s/.test(line.text);
    if (last === undefined || apart || level !== last.level || item) {
      const plain = item ? "list-item" : "paragraph";
      paragraphs.push({ text: line.text, kind: level === undefined ? plain : "heading", level });
    } else if (/\p{Ll}-$/u.test(last.text) && /^\p{Ll}/u.test(line.text)) {
      last.text = last.text.slice(0, -1) + line.text;
    } else {
      last.text += ` ${line.text}`;
    }
    former = line;
  }
  return paragraphs;
}

function headingLevel(line: Line, body: number): number | undefined {
  if (line.text.length > 120 || line.height < body * 1.12) return undefined;
  if (line.height >= body * 1.7) return 1;
  return line.height >= body * 1.3 ? 2 : 3;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function refused(error: unknown, name: string): Error {
  const kind = error instanceof Error ? error.name : "";
  if (kind === "PasswordException") {
    return refusal({
      code: "forbidden",
      reason: "encrypted",
      message: `"${name}" is encrypted and asks for a password`,
      hint: "Open it with its password, save or print it to a PDF without one, and add that.",
      retryable: false,
    });
  }
  return refusal(unreadable(`PDF "${name}"`, error));
}
