import { refusal } from "./refusal.ts";

export type Format = "text" | "markdown" | "html" | "pdf";

const ENDINGS: Readonly<Record<string, Format>> = {
  txt: "text",
  text: "text",
  log: "text",
  csv: "text",
  tsv: "text",
  json: "text",
  rst: "text",
  md: "markdown",
  markdown: "markdown",
  mdown: "markdown",
  html: "html",
  htm: "html",
  xhtml: "html",
  pdf: "pdf",
};

/** So many of a file's first bytes tell what it is: the others are not looked at. */
export const SNIFFED = 65_536;

/** What the file's content is. The name and the declared type only decide among kinds of text. */
export function sniff(bytes: Uint8Array, name: string, mediaType?: string): Format {
  if (bytes.length === 0) {
    throw refusal({
      code: "invalid-request",
      reason: "empty",
      message: `"${name}" is empty`,
      hint: "Check that the file was saved and copied completely, then add it again.",
      retryable: false,
    });
  }
  const foreign = foreignKind(bytes);
  if (foreign !== undefined) throw wrongType(name, foreign.what, foreign.hint);
  const declared = formatOf(name, mediaType);
  if (startsWith(bytes, "%PDF-", 1024)) return "pdf";
  if (declared === "pdf")
    throw wrongType(
      name,
      "not a PDF, whatever its name says",
      "Export the document as PDF again, or add it under its true type.",
    );
  if (!looksLikeText(bytes)) {
    const what = declared === undefined ? "neither text nor PDF" : "not text, whatever its name says";
    throw wrongType(
      name,
      `${what}: its content is binary`,
      "Programs and other binary files cannot be read. Save what it says as text, HTML or PDF, and add that.",
    );
  }
  if (declared !== undefined) return declared;
  return /^\s*(?:<!doctype html|<html)/i.test(latin1(bytes.subarray(0, 1024))) ? "html" : "text";
}

/** What name and declared type claim; `undefined`: nothing we know. */
export function formatOf(name: string, mediaType?: string): Format | undefined {
  const byName = ENDINGS[/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ""];
  if (byName !== undefined) return byName;
  const type = mediaType?.split(";")[0]?.trim().toLowerCase();
  if (type === "application/pdf") return "pdf";
  if (type === "text/markdown") return "markdown";
  if (type === "text/html" || type === "application/xhtml+xml") return "html";
  return undefined;
}

function wrongType(name: string, what: string, hint: string): Error {
  return refusal({
    code: "unsupported",
    reason: "wrong-type",
    message: `"${name}" is ${what}`,
    hint,
    retryable: false,
  });
}

function foreignKind(bytes: Uint8Array): { readonly what: string; readonly hint: string } | undefined {
  const start = latin1(bytes.subarray(0, 262));
  if (start.startsWith("\u00ff\u00fe\0\0") || start.startsWith("\0\0\u00fe\u00ff"))
    return { what: "text in UTF-32", hint: "Save it as UTF-8, and add that." };
  const office = "Save it as PDF or HTML and add that.";
  if (start.startsWith("PK\u0003\u0004")) {
    const inside = latin1(bytes.subarray(0, 4096));
    if (/word\/|xl\/|ppt\/|\[Content_Types\]|mimetypeapplication\/vnd/.test(inside))
      return { what: "an office document", hint: office };
    return { what: "a ZIP archive", hint: "Unpack it and add the documents inside." };
  }
  if (start.startsWith("\u00d0\u00cf\u0011\u00e0"))
    return { what: "an office document of the old binary kind", hint: office };
  if (start.startsWith("{\\rtf")) return { what: "an RTF document", hint: office };
  if (
    start.startsWith("\u0089PNG") ||
    start.startsWith("\u00ff\u00d8\u00ff") ||
    start.startsWith("GIF8") ||
    /^RIFF.{4}WEBP/s.test(start)
  ) {
    return {
      what: "an image",
      hint: "Text in images is not read: run it through text recognition (OCR) first.",
    };
  }
  if (start.startsWith("\u001f\u008b") || start.startsWith("7z\u00bc\u00af") || start.startsWith("Rar!")) {
    return { what: "a compressed archive", hint: "Unpack it and add the documents inside." };
  }
  return undefined;
}

/** No control characters but white space; UTF-16 shows itself by its mark or by its zeros at every other place. */
function looksLikeText(bytes: Uint8Array): boolean {
  if (isUtf16(bytes) !== undefined) return true;
  const sample = bytes.subarray(0, SNIFFED);
  let control = 0;
  for (const byte of sample) {
    if (byte === 0) return false;
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12 && byte !== 27) control++;
  }
  return control <= sample.length * 0.01;
}

export function isUtf16(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const sample = bytes.subarray(0, 4096);
  const zeros = [0, 0];
  for (let at = 0; at < sample.length; at++) if (sample[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const half = sample.length / 2;
  const [even = 0, odd = 0] = zeros;
  if (half >= 4 && odd > half * 0.4 && even === 0) return "utf-16le";
  if (half >= 4 && even > half * 0.4 && odd === 0) return "utf-16be";
  return undefined;
}

function startsWith(bytes: Uint8Array, text: string, within: number): boolean {
  return latin1(bytes.subarray(0, within)).includes(text);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
