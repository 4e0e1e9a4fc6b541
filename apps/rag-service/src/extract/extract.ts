import type { Extracted, Progress } from "./extracted.ts";
import { refusal } from "./refusal.ts";
import { sniff } from "./sniff.ts";
import { extractText } from "./text.ts";

export interface Source {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly mediaType?: string | undefined;
}

/** Reads a file of any known format. Throws a refusal that says what to do. */
export async function extract(source: Source, progress: Progress = () => undefined): Promise<Extracted> {
  const format = sniff(source.bytes, source.name, source.mediaType);
  const extracted = await read(format, source, progress);
  if (!/[\p{L}\p{N}]/u.test(extracted.text)) {
    throw refusal({
      code: "unsupported",
      reason: "no-text",
      message: `"${source.name}" contains no words`,
      hint: "Check that it is the right file; text in images is not read.",
      retryable: false,
    });
  }
  return extracted;
}

async function read(
  format: ReturnType<typeof sniff>,
  source: Source,
  progress: Progress,
): Promise<Extracted> {
  // Each parser is loaded when the first file of its kind comes.
  switch (format) {
    case "text":
      return extractText(source.bytes);
    case "markdown":
      return (await import("./markdown.ts")).extractMarkdown(source.bytes, progress);
    case "html":
      return (await import("./html.ts")).extractHtml(source.bytes);
    case "pdf":
      return (await import("./pdf.ts")).extractPdf(source.bytes, source.name, progress);
  }
}
