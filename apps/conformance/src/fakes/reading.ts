/** What a request's JSON holds, read without trust: what has another type counts as left out. */
export type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};

/** `undefined`: it is no JSON. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const stringOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

export const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined;

export const booleanOf = (value: unknown): boolean | undefined =>
  typeof value === "boolean" ? value : undefined;

export const textsOf = (value: unknown): readonly string[] =>
  listOf(value).filter((text): text is string => typeof text === "string");

/** Without the fields that are undefined, so that what was not said is not there. */
export const said = <Shape extends object>(fields: Shape): Shape => {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) Reflect.deleteProperty(fields, name);
  }
  return fields;
};
