/** The whole service over a data folder of its own, with the providers that a test gives it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createParser } from "eventsource-parser";

import type { RunEvent } from "../src/api/schemas.ts";
import { createApp } from "../src/app.ts";
import { startServer } from "../src/server.ts";
import { openService, type Service, type ServiceOptions } from "../src/service.ts";
import { readSettings, type ServiceSettings } from "../src/settings.ts";

export interface UnderTest {
  readonly service: Service;
  /** Without a socket. */
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
  readonly reported: readonly string[];
  readonly close: () => Promise<void>;
}

export async function emptySettings(
  env: Record<string, string> = {},
): Promise<ServiceSettings & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "rag-service-"));
  const application = join(folder, "package.json");
  await writeFile(application, JSON.stringify({ name: "application", dependencies: {} }));
  return {
    ...readSettings({ PORT: "0", ENGINEHOUSE_DATA_DIR: join(folder, "data"), ...env }, application),
    folder,
  };
}

export async function serviceUnderTest(
  options: ServiceOptions = {},
  env: Record<string, string> = {},
): Promise<UnderTest> {
  const settings = await emptySettings(env);
  const reported: string[] = [];
  const service = await openService(settings, { report: (line) => reported.push(line), ...options });
  const app = createApp(service);
  return {
    service,
    reported,
    request: async (path, init) => app.request(`http://127.0.0.1${path}`, init),
    async close() {
      await service.close();
      await rm(settings.folder, { recursive: true, force: true });
    },
  };
}

export async function serverUnderTest(options: ServiceOptions = {}, env: Record<string, string> = {}) {
  const settings = await emptySettings(env);
  const reported: string[] = [];
  const server = await startServer(settings, { report: (line) => reported.push(line), ...options });
  return {
    ...server,
    settings,
    reported,
    async close() {
      await server.close();
      await rm(settings.folder, { recursive: true, force: true });
    },
  };
}

export function json(method: string, body: unknown): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** Adds a text and waits until it is searched. */
export async function addText(
  { ingestor }: Service,
  name: string,
  text: string,
  collectionId = "default",
): Promise<string> {
  const { documentId } = await ingestor.submit(Buffer.from(text), { name, collectionId });
  await ingestor.idle();
  return documentId;
}

export interface NumberedEvent {
  readonly id: number;
  readonly event: RunEvent;
}

/** Reads server-sent events to the end, or until `until` says so. */
export async function readEvents(
  response: Response,
  until: (event: RunEvent) => boolean = () => false,
): Promise<NumberedEvent[]> {
  const events: NumberedEvent[] = [];
  let done = false;
  const parser = createParser({
    onEvent({ id, data }) {
      if (done) return;
      const event = JSON.parse(data) as RunEvent;
      events.push({ id: Number(id), event });
      done = until(event);
    },
  });
  if (response.body === null) throw new Error("no body");
  const decoder = new TextDecoder();
  for await (const piece of response.body) {
    parser.feed(decoder.decode(piece, { stream: true }));
    if (done) break;
  }
  return events;
}

export async function until(condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error("it did not come to pass");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
