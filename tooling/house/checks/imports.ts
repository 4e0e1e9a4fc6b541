/** The specifiers that a source imports, statically or when it runs; comments left out. */
export function importsOf(source: string): readonly string[] {
  const code = withoutComments(source);
  const forms = [/(?<!")\bfrom\s*"([^"\n]+)"/g, /(?<!")\bimport\s*"([^"\n]+)"/g, /\bimport\(\s*"([^"\n]+)"/g];
  return [
    ...new Set(forms.flatMap((form) => [...code.matchAll(form)].map(([, specifier = ""]) => specifier))),
  ];
}

/** The package of a specifier; `undefined` for the package's own files and Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (/^(\.|node:|virtual:|[a-z]+:)/.test(specifier)) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The names that a module hands on; those of `export *` are asked of `follow`. */
export function exportsOf(
  source: string,
  follow: (specifier: string) => string | undefined,
): ReadonlySet<string> {
  const code = withoutComments(source);
  const names = new Set<string>();
  const declared =
    /\bexport\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|const|let|class|interface|type)\s+(\w+)/g;
  for (const [, name = ""] of code.matchAll(declared)) names.add(name);
  for (const [, list = ""] of code.matchAll(/\bexport\s+(?:type\s+)?\{([^}]*)\}/g)) {
    for (const entry of list.split(",")) {
      const name = entry
        .trim()
        .replace(/^type\s+/, "")
        .split(/\s+as\s+/)
        .at(-1);
      if (name !== undefined && name !== "") names.add(name);
    }
  }
  for (const [, specifier = ""] of code.matchAll(/\bexport\s*\*\s*from\s*"([^"]+)"/g)) {
    const next = follow(specifier);
    if (next !== undefined) for (const name of exportsOf(next, follow)) names.add(name);
  }
  return names;
}

/** The same source with its comments blanked. A string that holds `//` (an address) keeps it. */
export function withoutComments(source: string): string {
  const pieces = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return source.replaceAll(pieces, (_whole, text: string | undefined) => text ?? " ");
}
