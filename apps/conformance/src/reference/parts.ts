import { type Clock, createClock } from "./clock.ts";
import { createDecoder, DECODE, type DecodeParts } from "./decode.ts";
import { encodeChat, encodeKeepAlive } from "./encode.ts";
import { pullFault, refusalOf, transportFault } from "./faults.ts";
import { createLines, type LineDecoder } from "./lines.ts";
import { createPlaces, type Places } from "./places.ts";
import { createProgress, type Progress } from "./progress.ts";
import { addressOf, type ReferenceSettings } from "./settings.ts";
import { createSharing } from "./sharing.ts";
import { type Connections, createConnections } from "./transport.ts";
import { readVectors } from "./vectors.ts";

/** What the reference provider is made of. A wrong one is the reference with one part replaced. */
export interface Parts extends DecodeParts {
  addressOf(settings: ReferenceSettings): string;
  headersOf(settings: ReferenceSettings): Readonly<Record<string, string>>;
  readonly encodeChat: typeof encodeChat;
  readonly encodeKeepAlive: typeof encodeKeepAlive;
  createConnections(): Connections;
  readonly createClock: (options: Parameters<typeof createClock>[0]) => Clock;
  createLines(): LineDecoder;
  parseLine(line: string): unknown;
  readonly createDecoder: typeof createDecoder;
  readonly refusalOf: typeof refusalOf;
  readonly transportFault: typeof transportFault;
  readonly pullFault: typeof pullFault;
  createProgress(): Progress;
  readonly createSharing: typeof createSharing;
  readonly readVectors: typeof readVectors;
  createPlaces(count: number): Places;
}

export const PARTS: Parts = {
  ...DECODE,
  addressOf,
  headersOf: ({ key }) => (key === undefined ? {} : { authorization: `Bearer ${key}` }),
  encodeChat,
  encodeKeepAlive,
  createConnections,
  createClock,
  createLines,
  parseLine: JSON.parse,
  createDecoder,
  refusalOf,
  transportFault,
  pullFault,
  createProgress,
  createSharing,
  readVectors,
  createPlaces,
};
