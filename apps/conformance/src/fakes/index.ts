export { httpFake } from "./http-fake.ts";
export type { Exchange, HttpWire, RequestHead } from "./http-fake.ts";
export { eventStream, ndjson } from "./framing.ts";
export type { Framing, Piece, PieceWriter } from "./framing.ts";
export { plainFake } from "./plain/index.ts";
