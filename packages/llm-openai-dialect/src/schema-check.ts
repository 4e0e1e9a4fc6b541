export interface SchemaFault {
  /** JSON pointer into the value: `/items/0/price`. */
  readonly at: string;
  readonly message: string;
}

type Schema = Readonly<Record<string, unknown>>;
type Report = (at: string, message: string) => void;

/**
 * Faults of a value against a JSON Schema; empty when it is valid. Keywords that are none of the vocabulary, and
 * `format`, are annotations, as the standard has it.
 */
export function checkValue(value: unknown, schema: unknown): readonly SchemaFault[] {
  const faults: SchemaFault[] = [];
  const root = schema;
  const check = (of: unknown, rule: unknown, at: string, depth: number, report: Report): void => {
    if (rule === true || rule === undefined) return;
    if (rule === false) return report(at, "nothing is allowed here");
    if (!isRecord(rule) || depth > DEEPEST) return;
    const holds = (branch: unknown): boolean => {
      let valid = true;
      check(of, branch, at, depth + 1, () => (valid = false));
      return valid;
    };
    const below = (inner: unknown, by: unknown, key: string | number): void =>
      check(inner, by, `${at}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`, depth + 1, report);

    if (typeof rule["$ref"] === "string") {
      const target = resolve(root, rule["$ref"]);
      if (target === undefined) report(at, `its schema refers to ${rule["$ref"]}, which is not there`);
      else check(of, target, at, depth + 1, report);
    }
    checkKind(of, rule, at, report);
    if (typeof of === "number") checkNumber(of, rule, at, report);
    if (typeof of === "string") checkText(of, rule, at, report);
    if (Array.isArray(of)) checkList(of, rule, { at, report, below });
    else if (isRecord(of)) checkObject(of, rule, { at, report, below });
    for (const branch of listOf(rule["allOf"])) check(of, branch, at, depth + 1, report);
    if (Array.isArray(rule["anyOf"]) && !rule["anyOf"].some(holds)) report(at, "it fits none of anyOf");
    if (Array.isArray(rule["oneOf"])) {
      const fitting = rule["oneOf"].filter(holds).length;
      if (fitting !== 1) report(at, `it fits ${fitting} of oneOf, not one`);
    }
    if (rule["not"] !== undefined && holds(rule["not"])) report(at, "it is what must not be");
    if (rule["if"] !== undefined)
      check(of, holds(rule["if"]) ? rule["then"] : rule["else"], at, depth + 1, report);
  };
  check(value, schema, "", 0, (at, message) => faults.push({ at, message }));
  return faults;
}

const DEEPEST = 200;

interface Place {
  readonly at: string;
  readonly report: Report;
  readonly below: (value: unknown, rule: unknown, key: string | number) => void;
}

function checkKind(value: unknown, rule: Schema, at: string, report: Report): void {
  const { type, enum: values } = rule;
  const types = typeof type === "string" ? [type] : listOf(type);
  if (types.length > 0 && !types.some((one) => isOfType(value, one)))
    report(at, `expected ${types.join(" or ")}, got ${typeOf(value)}`);
  if (Array.isArray(values) && !values.some((one) => same(one, value)))
    report(at, `expected one of ${JSON.stringify(values)}`);
  if ("const" in rule && !same(rule["const"], value)) report(at, `expected ${JSON.stringify(rule["const"])}`);
}

function checkNumber(value: number, rule: Schema, at: string, report: Report): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = rule;
  if (isNumber(minimum) && value < minimum) report(at, `expected ${minimum} or more`);
  if (isNumber(maximum) && value > maximum) report(at, `expected ${maximum} or less`);
  if (isNumber(exclusiveMinimum) && value <= exclusiveMinimum)
    report(at, `expected more than ${exclusiveMinimum}`);
  if (isNumber(exclusiveMaximum) && value >= exclusiveMaximum)
    report(at, `expected less than ${exclusiveMaximum}`);
  if (!isNumber(multipleOf) || multipleOf <= 0) return;
  const times = value / multipleOf;
  if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times)))
    report(at, `expected a multiple of ${multipleOf}`);
}

function checkText(value: string, rule: Schema, at: string, report: Report): void {
  const { minLength, maxLength, pattern } = rule;
  // Counted as the standard does, in code points.
  const length = isNumber(minLength) || isNumber(maxLength) ? Array.from(value).length : 0;
  if (isNumber(minLength) && length < minLength) report(at, `expected ${minLength} characters or more`);
  if (isNumber(maxLength) && length > maxLength) report(at, `expected ${maxLength} characters at most`);
  if (typeof pattern === "string" && patternOf(pattern)?.test(value) === false)
    report(at, `expected the pattern ${pattern}`);
}

function checkList(value: readonly unknown[], rule: Schema, { at, report, below }: Place): void {
  const { minItems, maxItems, uniqueItems, items, prefixItems, contains } = rule;
  if (isNumber(minItems) && value.length < minItems) report(at, `expected ${minItems} items or more`);
  if (isNumber(maxItems) && value.length > maxItems) report(at, `expected ${maxItems} items at most`);
  if (
    uniqueItems === true &&
    value.some((one, index) => value.slice(0, index).some((other) => same(one, other)))
  )
    report(at, "two items are the same");
  const first = listOf(prefixItems ?? (Array.isArray(items) ? items : undefined));
  const rest = Array.isArray(items) ? rule["additionalItems"] : items;
  value.forEach((item, index) => below(item, index < first.length ? first[index] : rest, index));
  if (contains !== undefined && !value.some((item) => checkValue(item, contains).length === 0))
    report(at, "no item is what it must contain");
}

function checkObject(value: Schema, rule: Schema, { at, report, below }: Place): void {
  const properties = isRecord(rule["properties"]) ? rule["properties"] : {};
  const patterns = Object.entries(isRecord(rule["patternProperties"]) ? rule["patternProperties"] : {});
  for (const name of listOf(rule["required"]))
    if (!Object.hasOwn(value, String(name))) report(at, `the property "${String(name)}" is missing`);
  const names = Object.keys(value);
  const { minProperties, maxProperties } = rule;
  if (isNumber(minProperties) && names.length < minProperties)
    report(at, `expected ${minProperties} properties or more`);
  if (isNumber(maxProperties) && names.length > maxProperties)
    report(at, `expected ${maxProperties} properties at most`);
  for (const name of names) {
    const own = Object.hasOwn(properties, name);
    if (own) below(value[name], properties[name], name);
    const fitting = patterns.filter(([pattern]) => patternOf(pattern)?.test(name) === true);
    for (const [, inner] of fitting) below(value[name], inner, name);
    if (own || fitting.length > 0) continue;
    if (rule["additionalProperties"] === false) report(at, `the property "${name}" is not allowed`);
    else below(value[name], rule["additionalProperties"], name);
  }
}

function resolve(root: unknown, pointer: string): unknown {
  if (pointer === "#") return root;
  if (!pointer.startsWith("#/")) return undefined;
  let at: unknown = root;
  for (const part of pointer.slice(2).split("/")) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    at = isRecord(at) || Array.isArray(at) ? (at as Schema)[key] : undefined;
  }
  return at;
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === "integer") return typeof value === "number" && Number.isInteger(value);
  return typeOf(value) === type;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function same(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => same(item, other[index]));
  if (isRecord(one) && isRecord(other)) {
    const keys = Object.keys(one);
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => key in other && same(one[key], other[key]))
    );
  }
  return one === other;
}

/** A pattern of another dialect of regular expressions says nothing here. */
function patternOf(source: string): RegExp | undefined {
  try {
    return new RegExp(source, "u");
  } catch {
    return undefined;
  }
}

const isNumber = (value: unknown): value is number => typeof value === "number";
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const isRecord = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
