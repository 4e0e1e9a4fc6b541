import { styleText } from "node:util";

type Colour = "red" | "green" | "yellow" | "dim" | "bold";

/** Puts colour on a text, or does not. */
export type Ink = (colour: Colour, text: string) => string;

export const plain: Ink = (_colour, text) => text;
const coloured: Ink = (colour, text) => styleText(colour, text, { validateStream: false });

/** Colours only where a person looks: https://no-color.org, and FORCE_COLOR for the others. */
export function inkFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Ink {
  if (isSet(env["NO_COLOR"])) return plain;
  if (isSet(env["FORCE_COLOR"])) return env["FORCE_COLOR"] === "0" ? plain : coloured;
  return stream.isTTY === true && env["TERM"] !== "dumb" ? coloured : plain;
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== "";

/** Breaks between words, so that no line is longer than `width` unless a word is; further lines begin with `indent`. */
export function wrap(text: string, width: number, indent: string): string {
  return text
    .split("\n")
    .map((paragraph) => {
      const lines: string[] = [];
      let line = "";
      for (const word of paragraph.split(" ")) {
        if (line !== "" && indent.length + line.length + 1 + word.length > width) {
          lines.push(line);
          line = word;
        } else line = line === "" ? word : `${line} ${word}`;
      }
      return [...lines, line].join(`\n${indent}`);
    })
    .join(`\n${indent}`);
}
