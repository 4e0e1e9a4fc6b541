/** Writes `examples/garden-report.pdf` from `eval/garden-report.md`: `node eval/make-pdf.ts`. The same input gives the same bytes. */
import { readFile, writeFile } from "node:fs/promises";

const WIDTH = 595;
const HEIGHT = 842;
const MARGIN = 64;
const SIZES = { title: 20, heading: 14, body: 11 } as const;

type Style = keyof typeof SIZES;

if (process.argv[1] === import.meta.filename) {
  const source = await readFile(new URL("garden-report.md", import.meta.url), "utf8");
  await writeFile(new URL("../examples/garden-report.pdf", import.meta.url), makePdf(source));
}

/** Headings, paragraphs, and `---` for a new page. */
export function makePdf(
  source: string,
  title = "Ferncliff Community Garden: report for the year 2023",
  footer: (page: number) => string = String,
): Uint8Array {
  const pages = source.split(/^---$/m).map((page, at) => drawPage(page, footer(at + 1)));
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_page, at) => `${5 + at * 2} 0 R`).join(" ")}] >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ...pages.flatMap((content, at) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${WIDTH} ${HEIGHT}] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> /Contents ${6 + at * 2} 0 R >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    ]),
    `<< /Title (${escape(title)}) >>`,
  ];
  let file = "%PDF-1.4\n";
  const places = objects.map((object, at) => {
    const place = file.length;
    file += `${at + 1} 0 obj\n${object}\nendobj\n`;
    return place;
  });
  const start = file.length;
  const table = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("");
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`;
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info ${objects.length} 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, "latin1");
}

function drawPage(markdown: string, footer: string): string {
  const commands: string[] = ["BT"];
  let y = HEIGHT - MARGIN;
  for (const block of markdown.trim().split(/\n\n+/)) {
    const style = styleOf(block);
    const size = SIZES[style];
    y -= style === "body" ? 6 : 14;
    for (const line of wrap(block.replace(/^#+ /, ""), size)) {
      y -= size * 1.35;
      commands.push(
        `/${style === "body" ? "F1" : "F2"} ${size} Tf 1 0 0 1 ${MARGIN} ${y.toFixed(1)} Tm (${escape(line)}) Tj`,
      );
    }
  }
  commands.push(`/F1 9 Tf 1 0 0 1 ${WIDTH / 2} 32 Tm (${escape(footer)}) Tj`, "ET");
  return commands.join("\n");
}

function styleOf(block: string): Style {
  if (block.startsWith("# ")) return "title";
  return block.startsWith("#") ? "heading" : "body";
}

function wrap(text: string, size: number): readonly string[] {
  const limit = Math.floor((WIDTH - 2 * MARGIN) / (size * 0.5));
  const lines: string[] = [""];
  for (const word of text.replaceAll("\n", " ").split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line.length + word.length + 1 > limit) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

function escape(text: string): string {
  return text.replace(/[\\()]/g, (character) => `\\${character}`);
}
