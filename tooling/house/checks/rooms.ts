const always = ["index.ts", "provider.ts", "settings.ts"];
const ofABackend = ["decode.ts", "encode.ts", "errors.ts", "wire.ts"];
const optional = ["models.ts"];

/** What differs between the top of a provider's `src` and the rooms that every provider has. */
export function outOfRooms(name: string, files: readonly string[]): readonly string[] {
  // A provider without a backend has nobody to translate for.
  const needed = name === "llm-provider-echo" ? always : [...always, ...ofABackend];
  const top = files.filter((file) => !file.includes("/"));
  const lacking = needed.filter((room) => !top.includes(room));
  const strange = top.filter((file) => !needed.includes(file) && !optional.includes(file));
  return [
    ...lacking.map((room) => `packages/${name}/src lacks ${room}`),
    ...strange.map(
      (file) => `packages/${name}/src/${file} is no room of a provider; give it a folder or one of the rooms`,
    ),
  ];
}
