import type { SourceFile } from "./house.ts";
import { withoutComments } from "./imports.ts";

/** Models as people name them, in a string. An engine's word for an architecture, without a version or a size, is none. */
const models =
  /["'`][^"'`\n]*\b((?:smol-?lm|mini-?lm|(?:qwen|gemma|mistral|phi|deepseek|llama)-?[v\d])[\w.-]*)/i;

/** Sources that know a provider by its id. Comments may name one as an example. */
export function namesOfProviders(files: readonly SourceFile[], ids: readonly string[]): readonly string[] {
  // A word of the language may be an id too (echo): it counts where it is a whole string, or part of a package's name.
  const id = new RegExp(`["'\`]((?:${ids.join("|")})(?:/[^"'\`]*)?)["'\`]|llm-provider-\\w+`);
  return files.flatMap(({ path, text }) => found(path, text, id).map((hit) => `${hit}, a provider`));
}

/** Sources that know a model by its name: defaults live in configuration, not in code. */
export function namesOfModels(files: readonly SourceFile[]): readonly string[] {
  // A catalogue is a list of names, and nothing else.
  const others = files.filter(({ path }) => !path.endsWith("/catalogue.ts"));
  return others.flatMap(({ path, text }) => found(path, text, models).map((hit) => `${hit}, a model`));
}

function found(path: string, text: string, pattern: RegExp): readonly string[] {
  const hit = pattern.exec(withoutComments(text));
  return hit === null ? [] : [`${path} names ${hit[1] ?? hit[0]}`];
}
