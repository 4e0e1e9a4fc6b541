import { isUtf16 } from "./sniff.ts";

/** Bytes as text, and what the reader should know about how they were read. */
export function decode(
  bytes: Uint8Array,
  declared?: string,
): { readonly text: string; readonly warnings: readonly string[] } {
  const utf16 = isUtf16(bytes);
  if (utf16 !== undefined) return { text: clean(new TextDecoder(utf16).decode(bytes)), warnings: [] };
  try {
    return { text: clean(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), warnings: [] };
  } catch {
    // Not UTF-8: what the document itself declares, else the most usual of the old encodings.
  }
  // A document that can tell its encoding in ASCII has none of those that are called UTF.
  if (declared !== undefined && !/^utf-?(?:8|16|32)/i.test(declared)) {
    try {
      return {
        text: clean(new TextDecoder(declared).decode(bytes)),
        warnings: [`Read as ${declared}, as the document declares.`],
      };
    } catch {
      // A name that nobody knows.
    }
  }
  return {
    text: clean(new TextDecoder("windows-1252").decode(bytes)),
    warnings: [
      "The text is not UTF-8; it was read as Latin-1 (Windows-1252). If letters look wrong, save it as UTF-8 and add it again.",
    ],
  };
}

/** What no store and no page can hold becomes U+FFFD at the same place; line ends become one character. */
export function clean(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/\0/g, "\uFFFD")
    .replace(/\p{Surrogate}/gu, "\uFFFD");
}
