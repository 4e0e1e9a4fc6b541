import { anchorOf, readProse } from "./markdown.ts";
import type { CodeBlock } from "./markdown.ts";

/** What a text can be held to: the checkout it speaks of. */
export interface Facts {
  /** Every file and folder, from the root, with forward slashes. */
  readonly paths: ReadonlySet<string>;
  /** Every word that some source, manifest or setting uses. */
  readonly words: ReadonlySet<string>;
  /** The scripts of each `package.json`, by package name; the root's under "". */
  readonly scripts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Names of the programs that `pnpm exec` finds. */
  readonly programs: ReadonlySet<string>;
  /** What each of the house's entries exports, by specifier. */
  readonly exports: ReadonlyMap<string, ReadonlySet<string>>;
  /** The text of a Markdown file of the checkout, for links into it. */
  readonly markdown: (path: string) => string | undefined;
}

/** What a Markdown text names that does not exist, in sentences. */
export function untrue(path: string, markdown: string, facts: Facts): readonly string[] {
  const { spans, blocks, links } = readProse(markdown);
  const problems: string[] = [];
  const say = (line: number, says: string): void => {
    problems.push(`${path}:${line}: ${says}`);
  };
  for (const { text, line } of links) {
    if (!isLinkTrue(text, path, facts)) say(line, `the link ${text} leads nowhere`);
  }
  for (const { text, line } of spans) {
    const wrong = wrongSpan(text, path, facts);
    if (wrong !== undefined) say(line, wrong);
  }
  for (const block of blocks) {
    for (const wrong of wrongBlock(block, facts)) say(block.line, wrong);
  }
  return problems;
}

function wrongSpan(text: string, from: string, facts: Facts): string | undefined {
  const command = commandIn(text);
  if (command !== undefined) return wrongCommand(command, facts);
  if (isPath(text, from, facts)) return isThere(text, from, facts) ? undefined : `there is no ${text}`;
  const call = /^(\w+)\(.*\)$/.exec(text)?.[1];
  const word = call ?? text;
  // A decision also names what was not taken.
  if (isName(word) && !facts.words.has(word) && !from.startsWith("docs/decisions/"))
    return `nothing in the sources is called ${word}`;
  return undefined;
}

/** Names of code, environment variables, error codes and other literals; plain words prove nothing. */
function isName(text: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(text)
    ? /[a-z][A-Z]|_|^[A-Z][a-z]+[A-Z]|^[A-Z]{3,}/.test(text)
    : /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(text);
}

function isPath(text: string, from: string, { paths }: Facts): boolean {
  if (
    /[\s<>{}|=$"]|:\/\/|^@|^\//.test(text) ||
    /(^|\/)(NNNN|node_modules|dist|reports|coverage)\b|^\.tools\b/.test(text)
  ) {
    return false;
  }
  if (/^\.{1,2}\//.test(text)) return !text.startsWith("../shared");
  if (/[\w*]\.(ts|tsx|mjs|js|json|md|yaml|yml|css|html)$/.test(text)) return true;
  const [first = ""] = text.split("/");
  return text.includes("/") && (paths.has(first) || paths.has(`${folderOf(from)}${first}`));
}

function isThere(text: string, from: string, { paths }: Facts): boolean {
  const wanted = text.replace(/\/$/, "").replace(/^\.\//, "");
  const candidates = [wanted, join(folderOf(from), wanted), join(`${packageOf(from)}src/`, wanted)];
  if (!text.includes("*")) return candidates.some((one) => paths.has(one)) || isFileName(wanted, paths);
  const pattern = new RegExp(`^(${candidates.map(patternOf).join("|")})$`);
  return [...paths].some((one) => pattern.test(one));
}

/** A bare file name speaks of every file so called: `decode.ts`. */
function isFileName(wanted: string, paths: ReadonlySet<string>): boolean {
  return !wanted.includes("/") && [...paths].some((path) => path.endsWith(`/${wanted}`));
}

function isLinkTrue(target: string, from: string, facts: Facts): boolean {
  if (/^[a-z]+:/.test(target)) return true;
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? from : join(folderOf(from), file);
  if (!facts.paths.has(path.replace(/\/$/, ""))) return false;
  if (anchor === undefined) return true;
  // A folder has no headings.
  if (!path.endsWith(".md")) return false;
  const text = facts.markdown(path);
  return text === undefined || readProse(text).headings.some((heading) => anchorOf(heading.text) === anchor);
}

function wrongBlock({ language, lines }: CodeBlock, facts: Facts): readonly string[] {
  if (/^(ts|tsx|js|mjs)$/.test(language)) return wrongImports(lines.join("\n"), facts);
  if (!/^(sh|bash|console|)$/.test(language)) return [];
  return lines.flatMap((line) => {
    const command = commandIn(
      line
        .replace(/^\$ /, "")
        .replace(/\s+#.*$/, "")
        .trim(),
    );
    const wrong = command === undefined ? undefined : wrongCommand(command, facts);
    return wrong === undefined ? [] : [wrong];
  });
}

/** In an example: everything imported from the house is exported there. */
function wrongImports(code: string, { exports }: Facts): readonly string[] {
  return [...code.matchAll(/import\s+(.+?)\s+from\s+"(@enginehouse\/[^"]+)"/gs)].flatMap(
    ([, list = "", from = ""]) => {
      const known = exports.get(from);
      if (known === undefined) return [`an example imports ${from}, which is no entry of a package here`];
      const braces = /\{([^}]*)\}/.exec(list)?.[1] ?? "";
      const names = braces.split(",").map(
        (name) =>
          name
            .trim()
            .replace(/^type /, "")
            .split(" as ")[0] ?? "",
      );
      const wanted = [
        ...names.filter((name) => name !== ""),
        ...(/^\w/.test(list) && !list.startsWith("type {") ? ["default"] : []),
      ];
      return wanted
        .filter((name) => !known.has(name))
        .map((name) => `an example imports ${name}, which ${from} does not export`);
    },
  );
}

/** The words of a command line that the checkout can answer for. */
function commandIn(text: string): readonly string[] | undefined {
  return /^(pnpm|npm|npx|node|\.ci\/run|git) ?/.test(text) && !/[…]/.test(text)
    ? text.split(/\s+/)
    : undefined;
}

function wrongCommand([program = "", ...args]: readonly string[], facts: Facts): string | undefined {
  const plain = args.filter((arg) => !arg.startsWith("-"));
  if (program === "node") {
    const file = plain.find((arg) => /\.[mc]?[jt]s$/.test(arg));
    return file === undefined || facts.paths.has(file) ? undefined : `there is no ${file} for node to run`;
  }
  if (program !== "pnpm" && program !== "npm") return undefined;
  const filtered = args.includes("--filter") ? args[args.indexOf("--filter") + 1] : undefined;
  const [first, second] = plain.filter((arg) => arg !== filtered && arg !== "run");
  if (first === undefined || ofPackageManagers.has(first)) return undefined;
  if (first === "exec") {
    return second === undefined || facts.programs.has(second) ? undefined : `pnpm exec finds no ${second}`;
  }
  const scripts = facts.scripts.get(filtered ?? "");
  if (scripts === undefined) return `no package is called ${filtered}`;
  if (scripts.has(first) || (program === "pnpm" && facts.programs.has(first))) return undefined;
  return `${program} knows no script ${first}${filtered === undefined ? "" : ` in ${filtered}`}`;
}

const ofPackageManagers = new Set([
  "install",
  "add",
  "remove",
  "create",
  "view",
  "pack",
  "publish",
  "why",
  "update",
  "i",
  "ci",
]);

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function packageOf(path: string): string {
  const [parent = "", name = ""] = path.split("/");
  return path.split("/").length > 2 ? `${parent}/${name}/` : "";
}

function join(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${folder}${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function patternOf(path: string): string {
  return path.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
}
