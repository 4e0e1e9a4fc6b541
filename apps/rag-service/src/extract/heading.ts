/** The words of a heading line without its marks. */
export function headingText(line: string): string {
  return line
    .replace(/^\s*#{1,6}\s+/, "")
    .replace(/\s+#*\s*$/, "")
    .replace(/\n[=-]+\s*$/, "")
    .replace(/[*_`]+/g, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}
