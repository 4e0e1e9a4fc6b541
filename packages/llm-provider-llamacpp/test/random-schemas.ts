/** Numbers that look random and are the same for the same seed. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917;
    state ^= state >>> 13;
    return (state >>> 0) % below;
  };
}

type Random = (below: number) => number;

/** A schema of the keywords that a grammar holds exactly, small enough for a value of it to come to an end soon. */
export function randomSchema(seed: number): Record<string, unknown> {
  const random = createRandom(seed);
  const $defs = {
    leaf: schemaOf(random, 3),
    tree: {
      type: "object",
      properties: { v: scalar(random), next: { $ref: "#/$defs/tree" } },
      required: ["v"],
    },
  };
  return { ...schemaOf(random, 0), $defs };
}

function schemaOf(random: Random, depth: number): Record<string, unknown> {
  if (depth >= 3) return scalar(random);
  const within = depth + 1;
  switch (random(9)) {
    case 0:
    case 1:
    case 2:
      return objectOf(random, within);
    case 3:
      return { type: "array", items: schemaOf(random, within), minItems: random(2), maxItems: 1 + random(3) };
    case 4:
      return { type: "array", prefixItems: [scalar(random), schemaOf(random, within)], items: false };
    case 5:
      return { anyOf: [schemaOf(random, within), scalar(random), { type: "null" }] };
    case 6:
      return {
        oneOf: ["a", "b"].map((kind) => ({
          ...objectOf(random, within),
          properties: { kind: { const: kind }, x: schemaOf(random, within) },
          required: ["kind"],
        })),
      };
    case 7:
      return { allOf: [objectOf(random, within), { properties: { c: scalar(random) }, required: ["c"] }] };
    default:
      return random(2) === 0
        ? { $ref: "#/$defs/leaf" }
        : { type: "object", properties: { t: { $ref: "#/$defs/tree" } }, required: ["t"] };
  }
}

function objectOf(random: Random, depth: number): Record<string, unknown> {
  const names = ["a", "b", "name with space", 'quo"te', "日本"].slice(0, 1 + random(4));
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, schemaOf(random, depth)])),
    required: names.filter(() => random(2) === 0),
  };
}

function scalar(random: Random): Record<string, unknown> {
  const low = random(300) - 150;
  switch (random(9)) {
    case 0:
      return { type: "string", minLength: random(3), maxLength: 3 + random(6) };
    case 1:
      return { type: "integer", minimum: low, maximum: low + random(2_000) };
    case 2:
      return { type: "number", minimum: low, exclusiveMaximum: low + 1 + random(50) };
    case 3:
      return { enum: ["x", 1, null, 'quo"te\n', { a: [true] }] };
    case 4:
      return { type: "string", format: ["date", "time", "date-time", "uuid"][random(4)] };
    case 5:
      return { type: ["boolean", "null"] };
    case 6:
      return { const: ["é", -0.5, false][random(3)] };
    case 7:
      return { type: "number", exclusiveMinimum: low };
    default:
      return { type: "integer" };
  }
}
