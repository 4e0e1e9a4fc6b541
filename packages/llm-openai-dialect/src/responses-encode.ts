import type { AssistantMessage, ChatRequest } from "@enginehouse/llm-core";

import {
  encodeFormat as encodeChatFormat,
  type Encoded,
  type EncodeOptions,
  encodeTool,
  formatName,
} from "./chat-encode.ts";
import {
  dataUrl,
  encodeUser,
  type PartForm,
  resultText,
  toBase64,
  unknownPart,
  warnOfReasoning,
} from "./messages.ts";
import { createPolicy, mergeOwn, type Policy } from "./policy.ts";
import type { Quirks } from "./quirks.ts";
import { chatOnly, encodeKeepAlive } from "./sampling.ts";
import { isStrict } from "./strict.ts";
import { createToolNames, type ToolNames } from "./tool-names.ts";

/** The name under which a reasoning item travels in a part's `providerData`. */
export const ITEM = "responsesItem";

/** The body for `/responses`. The server keeps nothing of it. */
export function encodeResponses(request: ChatRequest, { quirks, own, path }: EncodeOptions): Encoded {
  const policy = createPolicy(request);
  const names = createToolNames(request);
  for (const option of chatOnly(request))
    policy.lack(option, `the Responses API has no word for "${option}"`);
  const { temperature, topP, maxTokens, reasoning } = request;
  const body = {
    model: request.model,
    input: request.messages.flatMap((message) => encodeMessage(message, { names, policy, quirks })),
    stream: true,
    store: false,
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(maxTokens !== undefined && { max_output_tokens: maxTokens }),
    ...(reasoning !== undefined && { reasoning: { effort: reasoning } }),
    ...(quirks.encryptedReasoning && { include: ["reasoning.encrypted_content"] }),
    ...encodeKeepAlive(request.keepAlive, quirks, policy.lack),
    ...(quirks.responsesFormat === "text" ? encodeFormat(request) : encodeChatFormat(request, quirks)),
    ...encodeTools(request, names),
  };
  return { body: mergeOwn(body, own, path), warnings: policy.warnings, names };
}

interface Means {
  readonly names: ToolNames;
  readonly policy: Policy;
  readonly quirks: Quirks;
}

type Item = Record<string, unknown>;

function encodeMessage(message: ChatRequest["messages"][number], means: Means): Item[] {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: message.content }];
    case "user":
      return [{ role: "user", content: encodeUser(message, means.policy, responsesFile) }];
    case "assistant":
      return encodeAssistant(message, means);
    case "tool":
      return message.content.map((part) => ({
        type: "function_call_output",
        call_id: part.id,
        output: resultText(part),
      }));
    default:
      throw unknownPart("role", message);
  }
}

const responsesFile: PartForm = {
  text: (text) => ({ type: "input_text", text }),
  file(part) {
    if (part.mediaType.startsWith("image/"))
      return { type: "input_image", image_url: dataUrl(part), detail: "auto" };
    if (part.mediaType !== "application/pdf") return undefined;
    return {
      type: "input_file",
      filename: "file.pdf",
      file_data: `data:application/pdf;base64,${toBase64(part.data)}`,
    };
  },
};

function encodeAssistant({ content }: AssistantMessage, { names, policy, quirks }: Means): Item[] {
  const says = (text: string): Item => ({
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text, annotations: [] }],
  });
  if (typeof content === "string") return [says(content)];
  const parts = quirks.repeatsGiven ? withTextsJoined(content) : content;
  return parts.flatMap((part): Item[] => {
    if (part.type === "text") return [says(part.text)];
    if (part.type === "tool-call") {
      const name = names.toWire(part.name);
      return [{ type: "function_call", call_id: part.id, name, arguments: JSON.stringify(part.input) }];
    }
    if (part.type !== "reasoning") throw unknownPart("part", part);
    const item = part.providerData?.[ITEM];
    // They are another server's, or another model's, where this one has none to give.
    if (quirks.encryptedReasoning && typeof item === "object" && item !== null) return [item as Item];
    warnOfReasoning(policy);
    return [];
  });
}

type Parts = Exclude<AssistantMessage["content"], string>;

/** A server that makes one message of several items puts line ends between them: what is to be gone on with is one text. */
function withTextsJoined(parts: Parts): Parts {
  const joined: Parts[number][] = [];
  for (const part of parts) {
    const before = joined.at(-1);
    if (part.type === "text" && before?.type === "text")
      joined[joined.length - 1] = { ...before, text: before.text + part.text };
    else joined.push(part);
  }
  return joined;
}

function encodeFormat({ responseFormat }: ChatRequest): Item {
  if (responseFormat?.type !== "json") return {};
  const { schema, name } = responseFormat;
  if (schema === undefined) return { text: { format: { type: "json_object" } } };
  return {
    text: { format: { type: "json_schema", name: formatName(name), schema, strict: isStrict(schema) } },
  };
}

function encodeTools({ tools = [], toolChoice = "auto" }: ChatRequest, names: ToolNames): Item {
  if (tools.length === 0 || toolChoice === "none") return {};
  const choice =
    typeof toolChoice === "object" ? { type: "function", name: names.toWire(toolChoice.name) } : toolChoice;
  return {
    tools: tools.map((tool) => ({ type: "function", ...encodeTool(tool, names), strict: false })),
    ...(choice !== "auto" && { tool_choice: choice }),
  };
}
