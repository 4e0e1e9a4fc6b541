/**
 * Plain: a small HTTP protocol of our own, made to be learned in five minutes. It is what "Writing a provider"
 * talks to, what a fresh package is tested against, and the one wire that can say everything the kit asks for.
 *
 * JSON goes in and comes out. A reply that takes its time comes as NDJSON: one JSON object for each line.
 * With a key, every request carries `authorization: Bearer KEY`.
 *
 *     GET    /health                → {"status":"ok","version":"1.0.0"}
 *     GET    /models                → {"models":[MODEL, …]}                 those that are installed
 *     GET    /models/NAME           → MODEL
 *     DELETE /models/NAME           → 204
 *     POST   /chat    CHAT          → lines of an answer; with "stream":false one ANSWER
 *     POST   /embed   {"model","texts":[…],"keepAliveMs"?}      → {"vectors":[[…]],"usage":{"input"}}
 *     POST   /rerank  {"model","query","texts":[…]}             → {"scores":[…]}   higher fits better
 *     POST   /count   {"model","messages"? or "texts"?}         → {"tokens","perText"?:[…],"window"}
 *     POST   /pull    {"model"}                                 → lines of a download
 *     POST   /load    {"model","window"?,"keepAliveMs"?}        → {"model","window"}   the window in force
 *     POST   /unload  {"model"}                                 → 204
 *     GET    /loaded                → {"models":[{"name","window","keepAliveMs"?}]}
 *
 * MODEL: `{"name","task":"chat"|"embedding"|"rerank","window","features":[…],"dimensions"?,"sizeBytes"?,
 * "quantization"?,"license"?,"loaded"}`, features being `tools`, `json-schema`, `reasoning`, `vision`.
 *
 * CHAT: `{"model","messages":[MESSAGE, …]}` and, as wanted:
 * `stream` (default true) · `tools` `[{"name","description"?,"schema"?}]` ·
 * `toolChoice` `"auto"`, `"none"`, `"required"`, `{"name"}` · `schema` (a JSON Schema; `true`: any JSON) ·
 * `think` `"none"`, `"low"`, `"medium"`, `"high"` · `options` `{"temperature","topP","topK","minP","seed","stop":[…],
 * "maxTokens","frequencyPenalty","presencePenalty","repeatPenalty"}` · `window` · `keepAliveMs` (0: unload after the
 * answer, -1: keep) · `overflow` `"error"`: a prompt that does not fit is refused, and an answer that fills the window
 * ends with `length`. Left out, the prompt is cut at its head in silence, and the window shifts: as some servers do.
 *
 * MESSAGE: `{"role":"system"|"user"|"assistant"|"tool","text"}`; an assistant's may have `reasoning` and
 * `calls` `[{"id","name","input"}]`, a user's `images` `[{"mediaType","base64"}]`, a tool's has `id` and `name` of the
 * call that it answers, and `failed` true when its text tells an error.
 *
 * The lines of an answer, in this order of types: `{"type":"start","model"}` · any number of
 * `{"type":"text","text"}`, `{"type":"reasoning","text"}`, `{"type":"call","index","id"?,"name"?,"input":"…"}` (id and name
 * in the first piece of a call, `input` a part of its JSON text), `{"type":"usage","usage"}` with the counts so far · `{"type":"end","reason","usage"?,"calls"?}`.
 * Reasons: `stop`, `length`, `calls`, `filter`. `calls` are whole calls `[{"id","name","input":"…"}]`. `usage`:
 * `{"input","output","cached"?,"reasoning"?}` in tokens. An answer without its `end` has been cut.
 * `{"type":"error","message"}` may stand in place of any line, and nothing follows it.
 *
 * ANSWER: `{"text","reasoning"?,"calls":[…],"reason","usage"?}`.
 *
 * The lines of a download: `{"type":"progress","layer","received","total"}` (bytes of this layer; what later layers
 * weigh is not known) · at last `{"type":"done","name"}` or `{"type":"error","message"}`. When the client goes, it
 * stops; the next pull goes on from there.
 *
 * A refusal has a status and `{"error":{"code","message"}}`: `invalid` 400 · `overflow`, `too-long` 400 (`limit`, `tokens`
 * tell by how much) · `batch-limit` 400 · `unauthorized` 401 · `forbidden` 403 · `model-missing` 404 · `busy` 429 with
 * `retry-after` seconds · `output-cut` 500 (a call was cut by maxTokens) · `out-of-memory`, `broken` 500 · `unavailable` 503.
 */
import { httpFake } from "../http-fake.ts";
import { plainWire } from "../wires.ts";
import { answerPlain } from "./answer.ts";
import { readPlain } from "./read.ts";
import { plainRefusal } from "./refusals.ts";

export const plainFake = httpFake({
  ...plainWire,
  read: readPlain,
  refuse: plainRefusal,
  answer: answerPlain,
});
