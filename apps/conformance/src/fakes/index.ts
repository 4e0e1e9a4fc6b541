export { httpFake } from "./http-fake.ts";
export type { Exchange, HttpWire, RequestHead } from "./http-fake.ts";
export { eventStream, ndjson } from "./framing.ts";
export type { Framing, Piece, PieceWriter } from "./framing.ts";
export { createOllamaFake, ollamaFake, ollamaFake013, ollamaFakeNative } from "./ollama/index.ts";
export type { OllamaKind } from "./ollama/index.ts";
export { plainFake } from "./plain/index.ts";
export { fixtureBody, fixtureNames, readFixture, replayFixture } from "./replay.ts";
export type { Fixture, FixtureChunk, FixtureFolder, ReplayOptions } from "./replay.ts";
