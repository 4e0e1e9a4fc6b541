import type { Source } from "./alternative.ts";
import { largest, smallest } from "./counts.ts";
import { below } from "./pointer.ts";
import { invalid, type Reader } from "./reader.ts";
import type { Bound, Shape, StringFormat } from "./shape.ts";

const FORMATS: ReadonlySet<string> = new Set(["date", "time", "date-time", "uuid"] satisfies StringFormat[]);

export function readString(sources: readonly Source[], reader: Reader): Shape | undefined {
  const minLength = largest(sources, "minLength") ?? 0;
  const maxLength = smallest(sources, "maxLength");
  if (maxLength !== undefined && maxLength < minLength) return undefined;
  let format: StringFormat | undefined;
  for (const { node, pointer } of sources) {
    const own = node["format"];
    if (own === undefined || own === format) continue;
    if (typeof own !== "string") throw invalid(below(pointer, "format"), "it is no string");
    if (!isFormat(own))
      reader.warn("format", below(pointer, "format"), `"${own}" is a remark here, not a constraint`);
    else if (format === undefined) format = own;
    else return undefined;
    if (minLength > 0 || maxLength !== undefined)
      reader.refuse("format", below(pointer, "format"), "it stands beside a length");
  }
  return { kind: "string", minLength, maxLength, format };
}

function isFormat(format: string): format is StringFormat {
  return FORMATS.has(format);
}

export function readNumber(sources: readonly Source[], integer: boolean, reader: Reader): Shape | undefined {
  let min: Bound | undefined;
  let max: Bound | undefined;
  for (const source of sources) {
    for (const keyword of ["minimum", "exclusiveMinimum"] as const) {
      const bound = readBound(source, keyword, integer ? "integer" : "number", reader);
      if (
        bound !== undefined &&
        (min === undefined || bound.value > min.value || (bound.value === min.value && bound.exclusive))
      )
        min = bound;
    }
    for (const keyword of ["maximum", "exclusiveMaximum"] as const) {
      const bound = readBound(source, keyword, integer ? "integer" : "number", reader);
      if (
        bound !== undefined &&
        (max === undefined || bound.value < max.value || (bound.value === max.value && bound.exclusive))
      )
        max = bound;
    }
  }
  if (min !== undefined && max !== undefined) {
    if (min.value > max.value || (min.value === max.value && (min.exclusive || max.exclusive)))
      return undefined;
  }
  return { kind: "number", integer, min, max };
}

/** Beyond this, JavaScript's numbers are no longer exact. */
const EXACT = 999_999_999_999_999;

function readBound(
  { node, pointer }: Source,
  keyword: string,
  type: "integer" | "number",
  reader: Reader,
): Bound | undefined {
  const value = node[keyword];
  if (value === undefined) return undefined;
  const where = below(pointer, keyword);
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw invalid(
      where,
      typeof value === "boolean"
        ? "draft 4 wrote a boolean here; write the number itself"
        : "it is no number",
    );
  }
  const exclusive = keyword.startsWith("exclusive");
  const lower = keyword.toLowerCase().endsWith("minimum");
  const inward = Math.max(-EXACT, Math.min(EXACT, lower ? Math.ceil(value) : Math.floor(value)));
  if (type === "integer") {
    const step = exclusive && inward === value ? 1 : 0;
    return { value: lower ? inward + step : inward - step, exclusive: false };
  }
  if (inward !== value)
    reader.warn(
      keyword,
      where,
      `the model writes numbers from ${inward}, the next whole number inside ${value}`,
    );
  return { value: inward, exclusive: exclusive && inward === value };
}
