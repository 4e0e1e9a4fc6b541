/** Longer ones are no headings; some of the patterns below would take minutes for them. */
const LONGEST = 2_000;

/** The words of a heading line without its marks. */
export function headingText(line: string): string {
  return line
    .slice(0, LONGEST)
    .replace(/^\s*#{1,6}\s+/, "")
    .replace(/\s+#*\s*$/, "")
    .replace(/\n[=-]+\s*$/, "")
    .replace(/[*_`]+/g, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}
