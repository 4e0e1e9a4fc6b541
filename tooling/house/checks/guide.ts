import { readProse } from "./markdown.ts";

/** Blocks of code that name the file that they are from, and do not stand in it line by line, in sentences. Indentation is free. */
export function strayBlocks(
  path: string,
  markdown: string,
  read: (file: string) => string | undefined,
): readonly string[] {
  return readProse(markdown).blocks.flatMap(({ line, title, lines }) => {
    if (title === undefined) return [];
    const source = read(title);
    if (source === undefined) return [`${path}:${line}: there is no ${title}`];
    return flat(source).includes(flat(lines.join("\n")))
      ? []
      : [`${path}:${line}: ${title} says it otherwise`];
  });
}

const flat = (text: string): string => text.replaceAll(/^\s+/gm, "");
