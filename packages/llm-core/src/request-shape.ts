/** Throws, naming the field and what was expected there. */
export type Wrong = (field: string, says: string) => never;

type Fields = Readonly<Record<string, unknown>>;

/** Types do not hold where an application is written in plain JavaScript, or reads its requests from somewhere. */
export function checkMessages(messages: unknown, wrong: Wrong): void {
  if (!Array.isArray(messages) || messages.length === 0) wrong("messages", "send at least one message");
  // By index: not every way over an array goes over its holes.
  for (let index = 0; index < messages.length; index += 1) {
    const message: unknown = messages[index];
    const place = `messages.${index}`;
    if (!isMessage(message)) wrong(place, "expected a role and its content");
    const { content } = message as { readonly content: unknown };
    if (typeof content === "string") continue;
    for (const [at, part] of (content as unknown[]).entries())
      checkPart(part, `${place}.content.${at}`, wrong);
  }
}

function isMessage(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { role, content } = value;
  if (role === "tool") return Array.isArray(content);
  if (typeof content === "string") return role === "system" || role === "user" || role === "assistant";
  return Array.isArray(content) && (role === "user" || role === "assistant");
}

/** Kinds of parts that are not known here are left to the provider. */
function checkPart(part: unknown, place: string, wrong: Wrong): void {
  if (!isFields(part) || typeof part["type"] !== "string")
    return wrong(place, "expected a part and its type");
  const texts = (...names: string[]): void => {
    for (const name of names)
      if (typeof part[name] !== "string")
        wrong(`${place}.${name}`, `expected a text, got ${shown(part[name])}`);
  };
  switch (part["type"]) {
    case "text":
    case "reasoning":
      return texts("text");
    case "file":
      texts("mediaType");
      // Bytes of another realm are bytes, too.
      if (Object.prototype.toString.call(part["data"]) !== "[object Uint8Array]")
        wrong(`${place}.data`, `expected a Uint8Array, got ${shown(part["data"])}`);
      if ((part["data"] as Uint8Array).length === 0) wrong(`${place}.data`, "there are no bytes in it");
      return;
    case "tool-call":
      texts("id", "name");
      return checkJson(part["input"], `${place}.input`, wrong);
    case "tool-result":
      texts("id", "name");
      return checkJson(part["output"], `${place}.output`, wrong);
    default:
  }
}

export function checkTools(tools: unknown, wrong: Wrong): void {
  if (!Array.isArray(tools)) return wrong("tools", `expected a list of tools, got ${shown(tools)}`);
  const names = new Set<unknown>();
  for (const [index, tool] of (tools as unknown[]).entries()) {
    const place = `tools.${index}`;
    if (!isFields(tool)) return wrong(place, `expected a tool, got ${shown(tool)}`);
    const { name, description, inputSchema } = tool;
    if (typeof name !== "string" || name === "") wrong(`${place}.name`, "name the tool");
    if (description !== undefined && typeof description !== "string")
      wrong(`${place}.description`, `expected a text, got ${shown(description)}`);
    checkSchema(inputSchema, `${place}.inputSchema`, wrong);
    names.add(name);
  }
  if (names.size < tools.length) wrong("tools", "two tools have one name");
}

export function checkFormat(format: unknown, wrong: Wrong): void {
  if (!isFields(format) || (format["type"] !== "text" && format["type"] !== "json"))
    return wrong("responseFormat", "expected the type text or json");
  const { name, schema } = format;
  if (name !== undefined && typeof name !== "string")
    wrong("responseFormat.name", `expected a text, got ${shown(name)}`);
  checkSchema(schema, "responseFormat.schema", wrong);
}

export function checkOwnOptions(options: unknown, wrong: Wrong): void {
  if (!isFields(options)) return wrong("providerOptions", `expected an object, got ${shown(options)}`);
  for (const [name, own] of Object.entries(options))
    if (own !== undefined && !isFields(own))
      wrong(`providerOptions.${name}`, `expected an object, got ${shown(own)}`);
}

function checkSchema(schema: unknown, place: string, wrong: Wrong): void {
  if (schema === undefined) return;
  if (!isFields(schema)) wrong(place, `expected a JSON Schema as an object, got ${shown(schema)}`);
  checkJson(schema, place, wrong);
}

function checkJson(value: unknown, place: string, wrong: Wrong): void {
  if (typeof value === "string") return;
  try {
    JSON.stringify(value);
  } catch {
    wrong(place, "it cannot be written as JSON: it holds itself, is too deep, or has a bigint");
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** For a message: what it is, and its value where that is short. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function") return "a function";
  if (typeof value === "string") return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  return String(value);
}
