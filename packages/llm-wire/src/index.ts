export { callJson, callLines, callSse, type EventDecoder, streamLines, streamSse } from "./call.ts";
export { type Deadlines, startDeadlines } from "./deadlines.ts";
export { messageIn, retryAfter, statusFault, transportFault } from "./faults.ts";
export { createLineDecoder, type Decoder, type DecoderOptions } from "./lines.ts";
export { readsOf } from "./raw-body.ts";
export type { Endpoint, WireCall } from "./request.ts";
export { createSseDecoder, type SseEvent } from "./sse.ts";
export { createThinkTags, type ThinkTags, type ThinkTagsOptions } from "./think-tags.ts";
export { createHttpTransport, type FetchLike, type HttpTransport, type WireInit } from "./transport.ts";
