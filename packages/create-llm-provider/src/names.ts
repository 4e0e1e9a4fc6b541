/** What one provider is called, in each of the places that need a name. */
export interface Names {
  /** `my-server`: the plugin's id, and its name in model references. */
  readonly id: string;
  /** `llm-provider-my-server`, or `@scope/llm-provider-my-server`. */
  readonly packageName: string;
  /** `MyServer`, for types and functions. */
  readonly pascal: string;
  /** `MY_SERVER`, for environment variables. */
  readonly constant: string;
}

/** The names that follow from what the user typed: an id, or a whole package name that ends with one. */
export function namesOf(typed: string): Names {
  const [, scope, rest = ""] = /^(?:(@[a-z0-9][a-z0-9._-]*)\/)?(.*)$/.exec(typed.trim()) ?? [];
  const id = rest.replace(/^llm-provider-/, "");
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(id) || id.length > 50) {
    throw new Error(
      `"${typed}" is no name for a provider: small letters, digits and single hyphens, a letter first, such as "acme" or "@me/llm-provider-acme"`,
    );
  }
  const words = id.split("-");
  return {
    id,
    packageName: `${scope === undefined ? "" : `${scope}/`}llm-provider-${id}`,
    pascal: words.map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join(""),
    constant: words.join("_").toUpperCase(),
  };
}

/** The template's words, each replaced by the same word for the new package. */
export function rename(text: string, { id, packageName, pascal, constant }: Names): string {
  const words: Readonly<Record<string, string>> = {
    "llm-provider-acme": packageName,
    ACME: constant,
    Acme: pascal,
    acme: id,
  };
  return text.replaceAll(/llm-provider-acme|ACME|Acme|acme/g, (word) => words[word] ?? word);
}
