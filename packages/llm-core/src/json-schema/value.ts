import {
  entries,
  escaped,
  isRecord,
  list,
  patternOf,
  type Schema,
  type SchemaFault,
  targetOf,
} from "./schema.ts";

/**
 * Where a value breaks a schema of draft 2020-12; empty when it fits. The keywords of 2019-09 and draft 7 that other
 * ones took the place of are understood. What `faultsOfSchema` names is passed over.
 */
export function faultsOfValue(value: unknown, schema: unknown): readonly SchemaFault[] {
  const faults: SchemaFault[] = [];
  const report: Report = (at, message) => faults.push({ at, message });
  check(value, schema, "", { root: schema, depth: 0, report });
  return faults;
}

type Report = (at: string, message: string) => void;

interface Context {
  readonly root: unknown;
  readonly depth: number;
  readonly report: Report;
}

/** A schema that refers to itself, for ever, is no reason to run out of stack. */
const DEEPEST = 400;

function check(value: unknown, schema: unknown, at: string, context: Context): void {
  const { report, root } = context;
  if (schema === false) return report(at, "nothing is allowed here");
  if (!isRecord(schema)) return;
  if (context.depth > DEEPEST) return report(at, "it is nested too deeply to be checked");
  const inner: Context = { ...context, depth: context.depth + 1 };
  const fits = (branch: unknown): boolean => holds(value, branch, at, inner);
  const { $ref: reference, type, enum: values, anyOf, oneOf, dependentSchemas } = schema;

  if (typeof reference === "string") check(value, targetOf(root, reference)?.schema, at, inner);
  for (const branch of list(schema["allOf"])) check(value, branch, at, inner);
  if (Array.isArray(anyOf) && !anyOf.some(fits)) report(at, "it fits none of anyOf");
  if (Array.isArray(oneOf)) {
    const fitting = oneOf.filter(fits).length;
    if (fitting !== 1) report(at, `it fits ${fitting} of oneOf, not one`);
  }
  if ("not" in schema && fits(schema["not"])) report(at, "it fits what `not` forbids");
  if ("if" in schema) check(value, fits(schema["if"]) ? schema["then"] : schema["else"], at, inner);
  const types = typeof type === "string" ? [type] : list(type);
  if (types.length > 0 && !types.some((one) => isOfType(value, one)))
    report(at, `expected ${types.join(" or ")}, got ${typeOf(value)}`);
  if (Array.isArray(values) && !values.some((one) => same(value, one)))
    report(at, `expected one of ${shown(values)}`);
  if ("const" in schema && !same(value, schema["const"])) report(at, `expected ${shown(schema["const"])}`);

  if (typeof value === "number") checkNumber(value, schema, at, report);
  else if (typeof value === "string") checkText(value, schema, at, report);
  else if (Array.isArray(value)) checkList(value, schema, at, inner);
  else if (isRecord(value)) {
    checkObject(value, schema, at, inner);
    for (const [name, branch] of entries(dependentSchemas))
      if (Object.hasOwn(value, name)) check(value, branch, at, inner);
  }
}

function holds(value: unknown, schema: unknown, at: string, context: Context): boolean {
  let fits = true;
  check(value, schema, at, { ...context, report: () => (fits = false) });
  return fits;
}

function checkNumber(value: number, schema: Schema, at: string, report: Report): void {
  // A number such as 1e999 is JSON, but it reaches the caller as Infinity.
  if (!Number.isFinite(value)) return report(at, "it is too large a number");
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (isNumber(minimum) && value < minimum) report(at, `expected ${minimum} or more, got ${value}`);
  if (isNumber(maximum) && value > maximum) report(at, `expected ${maximum} or less, got ${value}`);
  if (isNumber(exclusiveMinimum) && value <= exclusiveMinimum)
    report(at, `expected more than ${exclusiveMinimum}, got ${value}`);
  if (isNumber(exclusiveMaximum) && value >= exclusiveMaximum)
    report(at, `expected less than ${exclusiveMaximum}, got ${value}`);
  if (!isNumber(multipleOf) || multipleOf <= 0) return;
  // 0.3 is a multiple of 0.1 for everybody but a processor.
  const times = value / multipleOf;
  if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times)))
    report(at, `expected a multiple of ${multipleOf}, got ${value}`);
}

function checkText(value: string, schema: Schema, at: string, report: Report): void {
  const { minLength, maxLength, pattern, format } = schema;
  // Counted as the standard does, in code points.
  if (isNumber(minLength) || isNumber(maxLength))
    checkCount(Array.from(value).length, minLength, maxLength, "characters", at, report);
  if (typeof pattern === "string" && patternOf(pattern)?.test(value) === false)
    report(at, `expected the pattern ${pattern}`);
  if (typeof format === "string" && Object.hasOwn(FORMATS, format) && FORMATS[format]?.(value) === false)
    report(at, `expected the format ${format}`);
}

function checkList(value: readonly unknown[], schema: Schema, at: string, context: Context): void {
  const { report } = context;
  const { items, prefixItems, contains, minContains = 1, maxContains } = schema;
  const first = list(Array.isArray(items) ? items : prefixItems);
  const rest = Array.isArray(items) ? schema["additionalItems"] : items;
  value.forEach((item, index) =>
    check(item, index < first.length ? first[index] : rest, `${at}/${index}`, context),
  );
  checkCount(value.length, schema["minItems"], schema["maxItems"], "items", at, report);
  const repeats = (one: unknown, index: number): boolean =>
    value.slice(0, index).some((other) => same(one, other));
  if (schema["uniqueItems"] === true && value.some(repeats)) report(at, "two items are the same");
  if (contains === undefined) return;
  const found = value.filter((item) => holds(item, contains, at, context)).length;
  checkCount(found, minContains, maxContains, "items that fit `contains`", at, report);
}

function checkObject(value: Schema, schema: Schema, at: string, context: Context): void {
  const { report } = context;
  const { properties, additionalProperties, propertyNames } = schema;
  const own = isRecord(properties) ? properties : {};
  const patterns = entries(schema["patternProperties"]);
  const names = Object.keys(value);
  const missing = (needed: unknown): readonly unknown[] =>
    list(needed).filter((name) => typeof name === "string" && !Object.hasOwn(value, name));

  for (const name of missing(schema["required"])) report(at, `the property "${String(name)}" is missing`);
  for (const name of names) {
    const place = `${at}/${escaped(name)}`;
    const fitting = patterns.filter(([pattern]) => patternOf(pattern)?.test(name) === true);
    for (const [, rule] of fitting) check(value[name], rule, place, context);
    if (Object.hasOwn(own, name)) check(value[name], own[name], place, context);
    else if (fitting.length > 0) continue;
    else if (additionalProperties === false) report(at, `the property "${name}" is not allowed`);
    else check(value[name], additionalProperties, place, context);
  }
  for (const name of names) check(name, propertyNames, `${at}/${escaped(name)}`, context);
  checkCount(names.length, schema["minProperties"], schema["maxProperties"], "properties", at, report);
  for (const [name, needed] of entries(schema["dependentRequired"])) {
    if (!Object.hasOwn(value, name)) continue;
    for (const other of missing(needed)) report(at, `"${name}" needs the property "${String(other)}"`);
  }
}

function checkCount(
  count: number,
  least: unknown,
  most: unknown,
  what: string,
  at: string,
  report: Report,
): void {
  if (isNumber(least) && count < least) report(at, `expected ${least} ${what} or more, got ${count}`);
  if (isNumber(most) && count > most) report(at, `expected ${most} ${what} at most, got ${count}`);
}

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** The formats that a value is held to; any other is an annotation, as the standard has it. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  time: (text) => TIME.test(text),
  "date-time": (text) =>
    isDate(text.slice(0, 10)) && /^t$/i.test(text.charAt(10)) && TIME.test(text.slice(11)),
  uuid: (text) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
};

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const isOfType = (value: unknown, type: unknown): boolean =>
  type === "integer" ? Number.isInteger(value) : typeOf(value) === type;

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => same(item, other[index]));
  if (!isRecord(one) || !isRecord(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && same(one[name], other[name]))
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

const isNumber = (value: unknown): value is number => typeof value === "number";
