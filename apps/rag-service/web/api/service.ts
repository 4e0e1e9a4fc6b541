import type {
  ActiveSettings,
  ActiveSettingsPut,
  AnswerRequest,
  Chunk,
  ChunkList,
  CollectionList,
  Document,
  DocumentContent,
  DocumentList,
  DocumentsAccepted,
  ExampleList,
  Job,
  JobAccepted,
  JobEvent,
  JobList,
  ModelDownload,
  ModelList,
  ProviderList,
  Run,
  RunEvent,
  RunList,
} from "../../src/api/schemas.ts";
import { getJson, request, sendJson } from "./client.ts";
import { readEvents } from "./events.ts";

const api = "/api/v1";
const documents = (collectionId: string) =>
  `${api}/collections/${encodeURIComponent(collectionId)}/documents`;

export const listCollections = () => getJson<CollectionList>(`${api}/collections`);

/** All documents of a collection, a page at a time, so that no single reply grows without bound. */
export async function listDocuments(collectionId = "default"): Promise<readonly Document[]> {
  const limit = 500;
  const found: Document[] = [];
  for (;;) {
    const page = await getJson<DocumentList>(
      `${documents(collectionId)}?limit=${limit}&offset=${found.length}`,
    );
    found.push(...page.documents);
    if (page.documents.length === 0 || found.length >= page.total) return found;
  }
}

export const readDocument = (id: string, signal?: AbortSignal) =>
  getJson<Document>(`${api}/documents/${encodeURIComponent(id)}`, signal);
export const readContent = (id: string, signal?: AbortSignal) =>
  getJson<DocumentContent>(`${api}/documents/${encodeURIComponent(id)}/content`, signal);

/** The passages that a document was cut into: all of them for most, the first few hundred of a very long one. */
export async function listChunks(id: string, signal: AbortSignal): Promise<readonly Chunk[]> {
  const found: Chunk[] = [];
  for (let page = 0; page < 5; page++) {
    const address = `${api}/documents/${encodeURIComponent(id)}/chunks?limit=500&offset=${found.length}`;
    const { chunks, total } = await getJson<ChunkList>(address, signal);
    found.push(...chunks);
    if (chunks.length === 0 || found.length >= total) break;
  }
  return found;
}

export const deleteDocument = ({ id }: Document) =>
  sendJson<unknown>("DELETE", `${api}/documents/${encodeURIComponent(id)}`);

export async function upload(file: File, collectionId = "default"): Promise<DocumentsAccepted> {
  const body = new FormData();
  body.append("file", file, file.name);
  const response = await request(documents(collectionId), { method: "POST", body });
  return (await response.json()) as DocumentsAccepted;
}

export const listExamples = () => getJson<ExampleList>(`${api}/examples`);
export const addExamples = (ids?: readonly string[]) =>
  sendJson<DocumentsAccepted>("POST", `${api}/examples`, ids === undefined ? {} : { ids });

/** The steps of all jobs, for as long as somebody listens. */
export async function followJobs(
  signal: AbortSignal,
  take: (events: readonly JobEvent[]) => void,
): Promise<void> {
  await readEvents(
    await request(`${api}/jobs/events`, { headers: { accept: "text/event-stream" }, signal }),
    take,
  );
}

export const listJobs = () => getJson<JobList>(`${api}/jobs`);
export const retryJob = (id: string) => sendJson<Job>("POST", `${api}/jobs/${encodeURIComponent(id)}/retry`);
export const cancelJob = (id: string) => sendJson<Job>("DELETE", `${api}/jobs/${encodeURIComponent(id)}`);

export const listModels = () => getJson<ModelList>(`${api}/models`);
export const listProviders = () => getJson<ProviderList>(`${api}/providers`);
export const download = (wanted: ModelDownload) =>
  sendJson<JobAccepted>("POST", "/api/models/download", wanted);
export const putActive = (settings: ActiveSettingsPut) =>
  sendJson<ActiveSettings>("PUT", `${api}/settings/active`, settings);

export const listRuns = () => getJson<RunList>(`${api}/runs`);
export const readRun = (id: string) => getJson<Run>(`${api}/runs/${encodeURIComponent(id)}`);
export const cancelRun = (id: string) => sendJson<unknown>("DELETE", `${api}/runs/${encodeURIComponent(id)}`);

/** Stops a run from a page that is being left: all that a browser still sends then. */
export const dropRun = (id: string) => navigator.sendBeacon(`${api}/runs/${encodeURIComponent(id)}/cancel`);

export async function startRun(
  wanted: AnswerRequest,
  signal: AbortSignal,
  take: (events: readonly RunEvent[], lastEventId: number) => void,
): Promise<void> {
  const response = await request(`${api}/answer`, {
    method: "POST",
    headers: { accept: "text/event-stream", "content-type": "application/json" },
    body: JSON.stringify(wanted),
    signal,
  });
  await readEvents(response, take);
}

/** The events of a run after the one with this number; the service replays what was missed. */
export async function followRun(
  id: string,
  lastEventId: number,
  signal: AbortSignal,
  take: (events: readonly RunEvent[], lastEventId: number) => void,
): Promise<void> {
  const response = await request(`${api}/runs/${encodeURIComponent(id)}/events`, {
    headers: { accept: "text/event-stream", "last-event-id": String(lastEventId) },
    signal,
  });
  await readEvents(response, take);
}
