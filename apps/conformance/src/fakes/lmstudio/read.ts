import type { Asked, AskedMessage, SeenRequest } from "../../backend.ts";
import { fieldsOf, listOf, numberOf, said, stringOf, textsOf } from "../reading.ts";
import type { Fields } from "../reading.ts";

const OPERATIONS: Readonly<Record<string, SeenRequest["operation"]>> = {
  predict: "chat",
  completeRawText: "chat",
  embedString: "embed",
  countTokens: "count",
  tokenize: "count",
  applyPromptTemplate: "count",
  version: "health",
  info: "health",
  listDownloadedModels: "list",
  getModelInfo: "describe",
  getLoadConfig: "describe",
  loadModel: "load",
  getOrLoad: "load",
  unloadModel: "unload",
  listLoaded: "loaded",
  downloadModel: "pull",
};

export const operationOf = (endpoint: string): SeenRequest["operation"] => OPERATIONS[endpoint] ?? "other";

/** The value of a key in a stack of layers: the last layer that has it wins. */
export const configValue = (stack: unknown, key: string): unknown => {
  const fields = configFields(stack);
  return fields.findLast((field) => field["key"] === key)?.["value"];
};

export const configFields = (stack: unknown): readonly Fields[] =>
  listOf(fieldsOf(stack)["layers"]).flatMap((layer) =>
    listOf(fieldsOf(fieldsOf(layer)["config"])["fields"]).map(fieldsOf),
  );

export const readLmstudio = (endpoint: string, parameter: unknown): Asked => {
  const fields = fieldsOf(parameter);
  const specifier = fieldsOf(fields["modelSpecifier"] ?? fields["specifier"]);
  const model =
    stringOf(fieldsOf(specifier["query"])["identifier"]) ??
    stringOf(specifier["instanceReference"]) ??
    stringOf(fields["modelKey"]) ??
    stringOf(fields["identifier"]) ??
    stringOf(fields["downloadIdentifier"]);
  const input = stringOf(fields["inputString"]);
  const load = loading(fields);
  const asked = { model, texts: input === undefined ? undefined : [input], ...load };
  return said<Asked>(endpoint === "predict" ? { ...asked, ...chat(fields) } : asked);
};

const loading = (fields: Fields): Asked => {
  const stack = fields["loadConfigStack"];
  return {
    window:
      numberOf(configValue(stack, "llm.load.contextLength")) ??
      numberOf(configValue(stack, "embedding.load.contextLength")),
    keepAliveMs: numberOf(fields["ttlMs"]) ?? numberOf(fields["loadTtlMs"]),
  };
};

const chat = (fields: Fields): Asked => {
  const stack = fields["predictionConfigStack"];
  const value = (key: string): unknown => configValue(stack, `llm.prediction.${key}`);
  /** Some numbers come with a box that is ticked. */
  const number = (key: string): number | undefined => {
    const found = value(key);
    if (typeof found === "number") return found;
    const ticked = fieldsOf(found);
    return ticked["checked"] === true ? numberOf(ticked["value"]) : undefined;
  };
  const tools = fieldsOf(value("tools"));
  const structured = fieldsOf(value("structured"));
  const { jsonSchema } = structured;
  return {
    stream: true,
    messages: listOf(fieldsOf(fields["history"])["messages"]).map(message),
    tools: tools["type"] === "toolArray" ? listOf(tools["tools"]).map(tool) : undefined,
    toolChoice: tools["force"] === true ? "required" : undefined,
    schema: structured["type"] === "json" ? (jsonSchema ?? true) : undefined,
    temperature: number("temperature"),
    topP: number("topPSampling"),
    topK: number("topKSampling"),
    minP: number("minPSampling"),
    seed: number("seed"),
    stop: value("stopStrings"),
    maxTokens: number("maxPredictedTokens"),
    frequencyPenalty: number("llama.frequencyPenalty"),
    presencePenalty: number("llama.presencePenalty"),
    repeatPenalty: number("repeatPenalty"),
  };
};

const message = (value: unknown): AskedMessage => {
  const fields = fieldsOf(value);
  const parts = listOf(fields["content"]).map(fieldsOf);
  const of = (type: string): readonly Fields[] => parts.filter((part) => part["type"] === type);
  const calls = of("toolCallRequest").map((part) => {
    const made = fieldsOf(part["toolCallRequest"]);
    return said({ id: stringOf(made["id"]), name: stringOf(made["name"]) ?? "", input: made["arguments"] });
  });
  const result = of("toolCallResult")[0];
  const images = of("file").length;
  return said<AskedMessage>({
    role: stringOf(fields["role"]) ?? "",
    text: textsOf([...of("text").map((part) => part["text"]), result?.["content"]]).join(""),
    calls: calls.length === 0 ? undefined : calls,
    answers: result === undefined ? undefined : said({ id: stringOf(result["toolCallId"]) }),
    images: images === 0 ? undefined : images,
  });
};

const tool = (value: unknown): { readonly name: string; readonly schema: unknown } => {
  const described = fieldsOf(fieldsOf(value)["function"]);
  return { name: stringOf(described["name"]) ?? "", schema: described["parameters"] };
};
