import { isRecord } from "../wire.ts";

/** What is wrong with a value, as `/items/0/price: it is string, not number`; empty where it fits the caller's schema. */
export function faultsOf(value: unknown, schema: unknown): readonly string[] {
  const faults: string[] = [];
  check(value, schema, "", {
    root: schema,
    depth: 0,
    report: (at, says) => faults.push(`${at === "" ? "/" : at}: ${says}`),
  });
  return faults;
}

interface Context {
  readonly root: unknown;
  readonly depth: number;
  readonly report: (at: string, says: string) => void;
}

type Schema = Readonly<Record<string, unknown>>;

function check(value: unknown, schema: unknown, at: string, context: Context): void {
  const { report, depth } = context;
  if (schema === true || schema === undefined) return;
  if (schema === false) return report(at, "nothing is allowed here");
  if (!isRecord(schema)) return report(at, "its schema is neither an object nor a boolean");
  if (depth > 400) return report(at, "it is nested too deeply to be checked");
  const inner: Context = { ...context, depth: depth + 1 };
  const holds = (branch: unknown): boolean => {
    let fits = true;
    check(value, branch, at, { ...inner, report: () => (fits = false) });
    return fits;
  };
  if (typeof schema["$ref"] === "string") {
    const target = targetOf(context.root, schema["$ref"]);
    if (target === undefined) report(at, `its schema refers to ${schema["$ref"]}, which is not there`);
    else check(value, target, at, inner);
  }
  for (const branch of list(schema["allOf"])) check(value, branch, at, inner);
  if (Array.isArray(schema["anyOf"]) && !schema["anyOf"].some(holds)) report(at, "it fits none of anyOf");
  if (Array.isArray(schema["oneOf"])) {
    const fitting = schema["oneOf"].filter(holds).length;
    if (fitting !== 1) report(at, `it fits ${fitting} of oneOf instead of one`);
  }
  if ("not" in schema && holds(schema["not"])) report(at, "it fits what `not` forbids");
  if ("if" in schema) check(value, holds(schema["if"]) ? schema["then"] : schema["else"], at, inner);
  const { type } = schema;
  if (type !== undefined) {
    const types: unknown[] = Array.isArray(type) ? type : [type];
    if (!types.some((one) => isOfType(value, one)))
      report(at, `it is ${typeOf(value)}, not ${types.join(" or ")}`);
  }
  if ("const" in schema && !same(value, schema["const"])) report(at, "it is not the constant");
  if (Array.isArray(schema["enum"]) && !schema["enum"].some((one) => same(value, one)))
    report(at, "it is not one of the enum");
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
  if (typeof multipleOf !== "number" || multipleOf <= 0) return;
  const quotient = value / multipleOf;
  if (Math.abs(quotient - Math.round(quotient)) > 1e-9)
    report(at, `${value} is no multiple of ${multipleOf}`);
}

function checkString(value: string, schema: Schema, at: string, report: Context["report"]): void {
  const { minLength, maxLength, pattern } = schema;
  // JSON Schema counts code points, `length` counts UTF-16 units.
  const length = Array.from(value).length;
  checkCount(length, minLength, maxLength, "characters", at, report);
  if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value))
    report(at, `it does not match ${pattern}`);
}

function checkArray(value: readonly unknown[], schema: Schema, at: string, context: Context): void {
  const { report } = context;
  const tuple = Array.isArray(schema["items"]) ? schema["items"] : list(schema["prefixItems"]);
  const rest = Array.isArray(schema["items"]) ? schema["additionalItems"] : schema["items"];
  for (const [index, item] of value.entries())
    check(item, index < tuple.length ? tuple[index] : rest, `${at}/${index}`, context);
  checkCount(value.length, schema["minItems"], schema["maxItems"], "items", at, report);
  const repeats = (one: unknown, index: number): boolean =>
    value.slice(0, index).some((other) => same(one, other));
  if (schema["uniqueItems"] === true && value.some(repeats)) report(at, "two of its items are equal");
  if (!("contains" in schema)) return;
  const { contains, minContains = 1, maxContains } = schema;
  const fits = (item: unknown): boolean => {
    let fitting = true;
    check(item, contains, at, { ...context, report: () => (fitting = false) });
    return fitting;
  };
  checkCount(value.filter(fits).length, minContains, maxContains, "items that fit `contains`", at, report);
}

function checkObject(value: Schema, schema: Schema, at: string, context: Context): void {
  const { report } = context;
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
  const patterns = Object.entries(isRecord(schema["patternProperties"]) ? schema["patternProperties"] : {});
  const names = Object.keys(value);
  for (const name of list(schema["required"]))
    if (typeof name === "string" && !Object.hasOwn(value, name)) report(at, `"${name}" is missing`);
  for (const name of names) {
    const where = `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const fitting = patterns.filter(([pattern]) => new RegExp(pattern, "u").test(name));
    for (const [, own] of fitting) check(value[name], own, where, context);
    if (Object.hasOwn(properties, name)) check(value[name], properties[name], where, context);
    else if (fitting.length === 0) {
      if (schema["additionalProperties"] === false) report(where, "no such property is allowed");
      else check(value[name], schema["additionalProperties"], where, context);
    }
    check(name, schema["propertyNames"], where, context);
  }
  checkCount(names.length, schema["minProperties"], schema["maxProperties"], "properties", at, report);
  const dependent = isRecord(schema["dependentRequired"]) ? schema["dependentRequired"] : {};
  for (const [name, needed] of Object.entries(dependent)) {
    if (!Object.hasOwn(value, name)) continue;
    for (const other of list(needed))
      if (typeof other === "string" && !Object.hasOwn(value, other)) report(at, `"${name}" needs "${other}"`);
  }
}

function checkCount(
  count: number,
  least: unknown,
  most: unknown,
  what: string,
  at: string,
  report: Context["report"],
): void {
  if (typeof least === "number" && count < least) report(at, `it has ${count} ${what}, fewer than ${least}`);
  if (typeof most === "number" && count > most) report(at, `it has ${count} ${what}, more than ${most}`);
}

/** What `#` and `#/$defs/name` point to. */
function targetOf(root: unknown, reference: string): unknown {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return undefined;
  let node: unknown = root;
  for (const step of reference.slice(2).split("/")) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, name)) return undefined;
    node = Reflect.get(node, name);
  }
  return node;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

const isOfType = (value: unknown, type: unknown): boolean =>
  type === "integer" ? Number.isInteger(value) : typeOf(value) === type;

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

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
