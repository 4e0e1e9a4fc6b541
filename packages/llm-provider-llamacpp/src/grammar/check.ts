import { FORMATS } from "./formats.ts";
import { isOfType, isRecord, sameJson, typeOf } from "./json-values.ts";
import { resolvePointer } from "./pointer.ts";

export interface SchemaFault {
  /** JSON pointer into the value: `/items/0/price`. */
  readonly at: string;
  readonly message: string;
}

/** Faults of a parsed value against the caller's own schema (not our rewriting of it); empty when it is valid. */
export function checkValue(value: unknown, schema: unknown, root: unknown = schema): readonly SchemaFault[] {
  const faults: SchemaFault[] = [];
  check(value, schema, "", { root, depth: 0, report: (at, message) => faults.push({ at, message }) });
  return faults;
}

/** Parses and checks: `{ value }`, or `{ fault }`, one sentence for an `output-invalid` error. */
export function checkJson(
  text: string,
  schema: unknown,
): { readonly value: unknown } | { readonly fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: `the output is not JSON (${error instanceof Error ? error.message : String(error)})` };
  }
  const faults = checkValue(value, schema);
  const first = faults[0];
  if (first === undefined) return { value };
  const more = faults.length === 1 ? "" : ` (and ${faults.length - 1} more)`;
  return {
    fault: `the output breaks its schema at "${first.at === "" ? "/" : first.at}": ${first.message}${more}`,
  };
}

interface Context {
  readonly root: unknown;
  readonly depth: number;
  readonly report: (at: string, message: string) => void;
}

function check(value: unknown, schema: unknown, at: string, context: Context): void {
  const { report } = context;
  if (schema === true) return;
  if (schema === false) return report(at, "nothing is allowed here");
  if (!isRecord(schema)) return report(at, "its schema is neither an object nor a boolean");
  if (context.depth > 400) return report(at, "it is nested too deeply to be checked");
  const inner: Context = { ...context, depth: context.depth + 1 };
  const holds = (branch: unknown): boolean => {
    let valid = true;
    check(value, branch, at, { ...inner, report: () => (valid = false) });
    return valid;
  };

  if (typeof schema["$ref"] === "string") {
    const target = resolvePointer(context.root, schema["$ref"]);
    if (target === undefined) report(at, `its schema refers to ${schema["$ref"]}, which is not there`);
    else check(value, target.node, at, inner);
  }
  for (const branch of list(schema["allOf"])) check(value, branch, at, inner);
  if (Array.isArray(schema["anyOf"]) && !schema["anyOf"].some(holds)) report(at, "it fits none of anyOf");
  if (Array.isArray(schema["oneOf"])) {
    const fitting = schema["oneOf"].filter(holds).length;
    if (fitting !== 1) report(at, `it fits ${fitting} of oneOf instead of one`);
  }
  if ("not" in schema && holds(schema["not"])) report(at, "it fits what `not` forbids");
  if ("if" in schema) {
    const branch = holds(schema["if"]) ? schema["then"] : schema["else"];
    if (branch !== undefined) check(value, branch, at, inner);
  }
  if (schema["type"] !== undefined) {
    const types = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]];
    if (!types.some((type) => isOfType(value, type)))
      report(at, `it is ${typeOf(value)}, not ${types.join(" or ")}`);
  }
  if ("const" in schema && !sameJson(value, schema["const"])) report(at, "it is not the constant");
  if (Array.isArray(schema["enum"]) && !schema["enum"].some((one) => sameJson(value, one))) {
    report(at, "it is not one of the enum");
  }
  if (typeof value === "number") checkNumber(value, schema, at, report);
  else if (typeof value === "string") checkString(value, schema, at, report);
  else if (Array.isArray(value)) checkArray(value, schema, at, inner);
  else if (isRecord(value)) checkObject(value, schema, at, inner);
}

function checkNumber(value: number, schema: Schema, at: string, report: Context["report"]): void {
  // A number such as 1e999 is JSON, but it reaches the caller as Infinity.
  if (!Number.isFinite(value)) report(at, "it is too large a number");
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (typeof minimum === "number" && value < minimum) report(at, `${value} is below ${minimum}`);
  if (typeof maximum === "number" && value > maximum) report(at, `${value} is above ${maximum}`);
  if (typeof exclusiveMinimum === "number" && value <= exclusiveMinimum)
    report(at, `${value} is not above ${exclusiveMinimum}`);
  if (typeof exclusiveMaximum === "number" && value >= exclusiveMaximum)
    report(at, `${value} is not below ${exclusiveMaximum}`);
  if (typeof multipleOf === "number" && multipleOf > 0) {
    const quotient = value / multipleOf;
    if (Math.abs(quotient - Math.round(quotient)) > 1e-9)
      report(at, `${value} is no multiple of ${multipleOf}`);
  }
}

function checkString(value: string, schema: Schema, at: string, report: Context["report"]): void {
  const { minLength, maxLength, pattern, format } = schema;
  if (typeof minLength === "number" || typeof maxLength === "number") {
    // JSON Schema counts code points, `length` counts UTF-16 units.
    const length = Array.from(value).length;
    if (typeof minLength === "number" && length < minLength)
      report(at, `it has ${length} characters, fewer than ${minLength}`);
    if (typeof maxLength === "number" && length > maxLength)
      report(at, `it has ${length} characters, more than ${maxLength}`);
  }
  if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value))
    report(at, `it does not match ${pattern}`);
  if (typeof format === "string" && FORMATS[format]?.(value) === false) report(at, `it is no ${format}`);
}

function checkArray(value: readonly unknown[], schema: Schema, at: string, context: Context): void {
  const { report } = context;
  const tuple = Array.isArray(schema["items"]) ? schema["items"] : list(schema["prefixItems"]);
  const rest = Array.isArray(schema["items"]) ? schema["additionalItems"] : schema["items"];
  for (const [index, item] of value.entries()) {
    const own = index < tuple.length ? tuple[index] : rest;
    if (own !== undefined) check(item, own, `${at}/${index}`, context);
  }
  const { minItems, maxItems, minContains, maxContains } = schema;
  if (typeof minItems === "number" && value.length < minItems)
    report(at, `it has ${value.length} items, fewer than ${minItems}`);
  if (typeof maxItems === "number" && value.length > maxItems)
    report(at, `it has ${value.length} items, more than ${maxItems}`);
  if (
    schema["uniqueItems"] === true &&
    value.some((one, index) => value.slice(0, index).some((other) => sameJson(one, other)))
  ) {
    report(at, "two of its items are equal");
  }
  if ("contains" in schema) {
    const found = value.filter(
      (item) => checkValue(item, schema["contains"], context.root).length === 0,
    ).length;
    const least = typeof minContains === "number" ? minContains : 1;
    if (found < least) report(at, `${found} of its items fit \`contains\`, fewer than ${least}`);
    if (typeof maxContains === "number" && found > maxContains)
      report(at, `${found} of its items fit \`contains\`, more than ${maxContains}`);
  }
}

function checkObject(value: Schema, schema: Schema, at: string, context: Context): void {
  const { report } = context;
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
  const patterns = isRecord(schema["patternProperties"]) ? Object.entries(schema["patternProperties"]) : [];
  const names = Object.keys(value);
  for (const name of list(schema["required"])) {
    if (typeof name === "string" && !Object.hasOwn(value, name)) report(at, `"${name}" is missing`);
  }
  for (const name of names) {
    const where = `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    let known = false;
    if (Object.hasOwn(properties, name)) {
      known = true;
      check(value[name], properties[name], where, context);
    }
    for (const [pattern, own] of patterns) {
      if (!new RegExp(pattern, "u").test(name)) continue;
      known = true;
      check(value[name], own, where, context);
    }
    if (known || schema["additionalProperties"] === undefined) continue;
    if (schema["additionalProperties"] === false) report(where, "no such property is allowed");
    else check(value[name], schema["additionalProperties"], where, context);
  }
  if ("propertyNames" in schema)
    for (const name of names) check(name, schema["propertyNames"], `${at}/${name}`, context);
  const { minProperties, maxProperties, dependentRequired } = schema;
  if (typeof minProperties === "number" && names.length < minProperties)
    report(at, `it has ${names.length} properties, fewer than ${minProperties}`);
  if (typeof maxProperties === "number" && names.length > maxProperties)
    report(at, `it has ${names.length} properties, more than ${maxProperties}`);
  for (const [name, needed] of isRecord(dependentRequired) ? Object.entries(dependentRequired) : []) {
    if (!Object.hasOwn(value, name)) continue;
    for (const other of list(needed)) {
      if (typeof other === "string" && !Object.hasOwn(value, other)) report(at, `"${name}" needs "${other}"`);
    }
  }
}

type Schema = Readonly<Record<string, unknown>>;

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
