export { type AnswerDecoder, createChatDecoder, type DecoderOptions } from "./chat-decode.ts";
export { encodeChat, type Encoded, type EncodeOptions } from "./chat-encode.ts";
export { decodeEmbed, type EmbedBatch, encodeEmbed } from "./embeddings.ts";
export {
  type ErrorContext,
  errorIn,
  errorOfBody,
  faultOfError,
  faultOfReply,
  type WireError,
} from "./errors.ts";
export { mergeOwn } from "./policy.ts";
export { PLAIN, type Quirks } from "./quirks.ts";
export { createResponsesDecoder } from "./responses-decode.ts";
export { encodeResponses } from "./responses-encode.ts";
export { chatOnly, encodeKeepAlive } from "./sampling.ts";
export { createToolNames, type ToolNames } from "./tool-names.ts";
