import { mkdir, readdir, writeFile } from "node:fs/promises";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import type {
  ChunkList,
  Document,
  DocumentContent,
  DocumentList,
  DocumentsAccepted,
  Problem,
  SourceAccepted,
} from "../src/api/schemas.ts";
import { json, serverUnderTest } from "./under-test.ts";

let server: Awaited<ReturnType<typeof serverUnderTest>>;
let documents: string;

beforeAll(async () => {
  server = await serverUnderTest();
  documents = `${server.url}/api/v1/collections/default/documents`;
});
afterAll(() => server.close());

async function read<Body>(path: string, init?: RequestInit): Promise<Body> {
  const response = await fetch(new URL(path, server.url), init);
  return (await response.json()) as Body;
}

function form(...files: readonly (readonly [name: string, content: string])[]): FormData {
  const data = new FormData();
  for (const [name, content] of files) data.append("file", new Blob([content]), name);
  return data;
}

test("a file comes in, is read, and its text, pages and pieces can be had", async () => {
  const text = "# Gates\n\nThe north gate is green.\n\nThe south gate is red.\n";
  const response = await fetch(documents, { method: "POST", body: form(["gates.md", text]) });
  expect(response.status).toBe(202);
  const accepted = (await response.json()) as DocumentsAccepted;
  expect(accepted).toMatchObject({ status: "queued", name: "gates.md", refused: [] });
  await server.service.ingestor.idle();

  const document = await read<Document>(`/api/v1/documents/${accepted.documentId}`);
  expect(document).toMatchObject({
    status: "ready",
    title: "Gates",
    mediaType: "text/markdown",
    bytes: text.length,
  });
  const content = await read<DocumentContent>(`/api/v1/documents/${accepted.documentId}/content`);
  const { chunks, total } = await read<ChunkList>(`/api/v1/documents/${accepted.documentId}/chunks`);
  expect(chunks).toHaveLength(total);
  const byCollection = `/api/v1/collections/default/documents/${accepted.documentId}`;
  expect(await read<Document>(byCollection)).toEqual(document);
  expect(await read<DocumentContent>(`${byCollection}/content`)).toEqual(content);
  expect(await read<Problem>(byCollection.replace("default", "attic"))).toMatchObject({
    code: "document-not-found",
  });
  for (const chunk of chunks) expect(content.text.slice(chunk.charStart, chunk.charEnd)).toBe(chunk.text);
});

test("a text that is not read yet is a 409 that says to wait, or why it never will be", async () => {
  const body = form(["broken.pdf", "%PDF-1.7 and nothing else"]);
  const { documentId } = (await (
    await fetch(documents, { method: "POST", body })
  ).json()) as DocumentsAccepted;
  await server.service.ingestor.idle();
  const content = await fetch(`${server.url}/api/v1/documents/${documentId}/content`);
  expect(content.status).toBe(409);
  const problem = (await content.json()) as Problem;
  expect(problem).toMatchObject({ code: "document-not-ready", retryable: false });
  expect(problem.detail).toContain("could not be read");
  const document = await read<Document>(`/api/v1/documents/${documentId}`);
  expect(document).toMatchObject({ status: "failed" });
  expect(document.error?.hint).toBeTruthy();
});

test("several files come in one upload; a bad one is refused and the others are taken", async () => {
  const body = form(["first.txt", "The first gate."], ["empty.txt", ""], ["last.txt", "The last gate."]);
  const accepted = (await (await fetch(documents, { method: "POST", body })).json()) as DocumentsAccepted;
  expect(accepted.documents.map(({ name }) => name)).toEqual(["first.txt", "last.txt"]);
  expect(accepted.refused).toHaveLength(1);
  expect(accepted.refused[0]).toMatchObject({
    name: "empty.txt",
    problem: { status: 422, code: "empty", title: "The file is empty", retryable: false },
  });
  expect(accepted.refused[0]?.problem.detail).toContain("empty");
});

test("an empty file alone is a problem that says what to do", async () => {
  const response = await fetch(documents, { method: "POST", body: form(["empty.txt", ""]) });
  expect(response.status).toBe(422);
  const problem = (await response.json()) as Problem;
  expect(problem.detail).toContain("empty");
  expect(problem.hint).toBeTruthy();
});

test("raw bytes and a text are taken, too", async () => {
  const raw = await fetch(`${documents}?name=raw.txt`, {
    method: "POST",
    headers: { "content-type": "text/plain" },
    body: "A raw gate.",
  });
  expect(raw.status).toBe(202);
  expect(await raw.json()).toMatchObject({ name: "raw.txt" });
  const text = await fetch(documents, json("POST", { name: "typed.txt", text: "A typed gate." }));
  expect(text.status).toBe(202);
  const wrong = await fetch(documents, json("POST", { text: "Nameless." }));
  expect(wrong.status).toBe(400);
  expect(((await wrong.json()) as Problem).detail).toContain("name");
});

test("the same content again under one name is unchanged, other content is a new version", async () => {
  const put = (content: string) =>
    fetch(`${documents}/inventory`, {
      method: "PUT",
      headers: { "content-type": "text/plain" },
      body: content,
    });
  const first = (await (await put("Four gates.")).json()) as DocumentsAccepted;
  await server.service.ingestor.idle();
  const again = await put("Four gates.");
  expect(again.status).toBe(200);
  expect(await again.json()).toMatchObject({ documentId: first.documentId, status: "unchanged" });
  const changed = await put("Five gates.");
  expect(changed.status).toBe(202);
  expect(await changed.json()).toMatchObject({ documentId: first.documentId, status: "queued" });
  await server.service.ingestor.idle();
  const content = await read<DocumentContent>(`/api/v1/documents/${first.documentId}/content`);
  expect(content.text).toContain("Five gates.");
});

test("a file's name is never a path", async () => {
  const body = form(["../../../../escaped.txt", "Out of the gate."]);
  const accepted = (await (await fetch(documents, { method: "POST", body })).json()) as DocumentsAccepted;
  expect(accepted.name).toBe("escaped.txt");
  const raw = await fetch(`${documents}?name=${encodeURIComponent("..\\..\\windows.txt")}`, {
    method: "POST",
    headers: { "content-type": "text/plain" },
    body: "Out of the other gate.",
  });
  expect(await raw.json()).toMatchObject({ name: "windows.txt" });
  expect(await readdir(server.settings.folder)).not.toContain("escaped.txt");
});

test(
  "a file of 100 MB is refused with the limit, and the client gets to read it",
  { timeout: 60_000 },
  async () => {
    const piece = Buffer.alloc(1_000_000, "gate ");
    const sizes = { before: await spooled() };
    const send = (headers: Record<string, string>, head = "", tail = "") =>
      new Promise<{ status: number; problem: Problem }>((resolve, reject) => {
        const call = httpRequest(documents, { method: "POST", headers }, (response) => {
          let text = "";
          response.on("data", (data: Buffer) => (text += data.toString()));
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, problem: JSON.parse(text) as Problem }),
          );
        });
        call.on("error", reject);
        call.write(head);
        let sent = 0;
        const more = () => {
          while (sent < 100) {
            sent += 1;
            if (!call.write(piece)) {
              call.once("drain", more);
              return;
            }
          }
          call.end(tail);
        };
        more();
      });

    const told = await send({ "content-type": "text/plain", "content-length": String(100 * piece.length) });
    const untold = await send({ "content-type": "text/plain" });
    const boundary = "b0undary";
    const multipart = await send(
      { "content-type": `multipart/form-data; boundary=${boundary}` },
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="large.txt"\r\n\r\n`,
      `\r\n--${boundary}--\r\n`,
    );
    for (const { status, problem } of [told, untold, multipart]) {
      expect(status).toBe(413);
      expect(problem).toMatchObject({ code: "too-large" });
      expect(problem.detail).toContain("50 MB");
      expect(problem.hint).toContain("Split");
    }
    expect(await spooled()).toEqual(sizes.before);
  },
);

async function spooled(): Promise<string[]> {
  await server.service.ingestor.idle();
  return readdir(join(server.settings.dataDir, "spool")).catch(() => []);
}

test("an upload that breaks off leaves nothing behind", async () => {
  const { port } = new URL(server.url);
  const before = await server.service.store.listDocuments();
  // A file that could not be read is kept there for another try.
  const kept = await spooled();
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.write(
        "POST /api/v1/collections/default/documents?name=half.txt HTTP/1.1\r\nhost: 127.0.0.1\r\n" +
          "content-type: text/plain\r\ncontent-length: 1000\r\n\r\nonly a part",
      );
      setTimeout(() => {
        socket.destroy();
        resolve();
      }, 100);
    });
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await spooled()).toEqual(kept);
  expect(await server.service.store.listDocuments()).toHaveLength(before.length);
  expect(server.reported).toEqual([]);
});

test("a broken multipart body is a problem, not a crash", async () => {
  for (const [type, body] of [
    ["multipart/form-data", "no boundary"],
    [
      "multipart/form-data; boundary=x",
      "--x\r\ncontent-disposition: form-data; name=file; filename=a.txt\r\n\r\ncut off",
    ],
    ["multipart/form-data; boundary=x", ""],
  ] as const) {
    const response = await fetch(documents, { method: "POST", headers: { "content-type": type }, body });
    expect(response.status).toBe(400);
    expect(((await response.json()) as Problem).hint).toBeTruthy();
  }
});

test("a folder is taken once, with what was left out and why", async () => {
  const folder = join(server.settings.folder, "papers");
  await mkdir(join(folder, "deep"), { recursive: true });
  await writeFile(join(folder, "one.txt"), "Paper one.");
  await writeFile(join(folder, "deep", "two.md"), "# Paper two");
  await writeFile(join(folder, "empty.txt"), "");
  const result = await read<SourceAccepted>(
    "/api/v1/collections/default/sources",
    json("POST", { path: folder }),
  );
  expect(result.documents.map(({ name }) => name).toSorted()).toEqual(["deep/two.md", "one.txt"]);
  expect(result.refused.map(({ name }) => name)).toContain("empty.txt");
});

test("a document goes with all that belongs to it", async () => {
  const { documentId } = await read<DocumentsAccepted>(
    documents,
    json("POST", { name: "gone.txt", text: "A gate to forget." }),
  );
  await server.service.ingestor.idle();
  const response = await fetch(`${server.url}/api/v1/documents/${documentId}`, { method: "DELETE" });
  expect(await response.json()).toEqual({ deleted: 1, ids: [documentId] });
  expect((await fetch(`${server.url}/api/v1/documents/${documentId}`)).status).toBe(404);
  const { hits } = await read<{ hits: unknown[] }>("/api/v1/search", json("POST", { query: "forget" }));
  expect(hits).toEqual([]);
});

test("a list comes in pages", async () => {
  const all = await read<DocumentList>("/api/v1/collections/default/documents");
  const page = await read<DocumentList>("/api/v1/collections/default/documents?offset=1&limit=2");
  expect(page.documents).toEqual(all.documents.slice(1, 3));
  expect(page.total).toBe(all.total);
});

test("a connection goes on after a JSON body that was too large", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (method: string, path: string, body = "") =>
    new Promise<{ status: number | undefined; reused: boolean }>((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const request = httpRequest(new URL(path, server.url), { method, agent, headers }, (response) => {
        response.resume().on("end", () => {
          resolve({ status: response.statusCode, reused: request.reusedSocket });
        });
      });
      request.on("error", reject);
      request.end(body);
    });
  try {
    const large = JSON.stringify({ question: "x".repeat(1_100_000) });
    expect(await send("POST", "/api/v1/answer", large)).toMatchObject({ status: 413 });
    expect(await send("GET", "/healthz")).toEqual({ status: 200, reused: true });
  } finally {
    agent.destroy();
  }
});

test("a client that leaves in the middle of its JSON is no bug of the service", async () => {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const head = `POST /api/v1/search HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n`;
  socket.write(`${head}transfer-encoding: chunked\r\n\r\n5\r\n{"que\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.resetAndDestroy();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(server.reported).toEqual([]);
});

test.each([
  ["../../etc/\u202etxt.md", "txt.md"],
  ["\u{1F600}".repeat(255), "\u{1F600}".repeat(127)],
])("the name %j is told as it is shown, without what no page should print", async (given, shown) => {
  const body = form([given, `A text under the name ${shown}.`]);
  const response = await fetch(documents, { method: "POST", body });
  const accepted = (await response.json()) as DocumentsAccepted;
  expect(accepted.name).toBe(shown);
  expect(await read<Document>(`/api/v1/documents/${accepted.documentId}`)).toMatchObject({ name: shown });
});

test("a cancelled document is not queued again in appearance only", async () => {
  const accepted = await read<DocumentsAccepted>(
    "/api/v1/collections/default/documents",
    json("POST", { name: "stopped.txt", text: "The gate is old. ".repeat(20_000) }),
  );
  const job = `/api/v1/jobs/${accepted.jobId ?? ""}`;
  expect(await read(job, { method: "DELETE" })).toMatchObject({ status: "cancelled" });
  const retry = await fetch(new URL(`${job}/retry`, server.url), { method: "POST" });
  expect(retry.status).toBe(409);
  expect(await retry.json()).toMatchObject({ code: "job-not-kept", hint: expect.any(String) });
});

test.each([
  ["picture.png", "\u0089PNG\r\n\u001a\n0000", "an image"],
  ["letter.docx", "PK\u0003\u0004....word/document.xml", "an office document"],
  ["letter.pdf", "Dear reader,", "not a PDF"],
  ["noise.txt", "MZ\u0001\u0000\u0003\u0000\u0000\u0007", "binary"],
])(
  "%s is refused at the door with what to do, and the library stays as it was",
  async (name, content, what) => {
    const bytes = Buffer.from(content, "latin1");
    const before = await read<DocumentList>("/api/v1/collections/default/documents");
    const kept = await spooled();
    const whole = await fetch(`${documents}?name=${name}`, {
      method: "POST",
      body: bytes,
      headers: { "content-type": "application/octet-stream" },
    });
    expect(whole.status).toBe(415);
    expect(whole.headers.get("content-type")).toBe("application/problem+json");
    const problem = {
      status: 415,
      code: "wrong-type",
      retryable: false,
      hint: expect.stringMatching(/\w+ \w+/),
    };
    const told = (await whole.json()) as Problem;
    expect(told).toMatchObject(problem);
    expect(told.detail).toContain(`"${name}" is `);
    expect(told.detail).toContain(what);

    const data = form(["beside.txt", `What lies beside ${name} is taken.`]);
    data.append("file", new Blob([bytes]), name);
    const accepted = (await (
      await fetch(documents, { method: "POST", body: data })
    ).json()) as DocumentsAccepted;
    expect(accepted.documents.map((one) => one.name)).toEqual(["beside.txt"]);
    expect(accepted.refused).toMatchObject([{ name, problem }]);
    await server.service.ingestor.idle();
    const after = await read<DocumentList>("/api/v1/collections/default/documents");
    expect(after.total).toBe(before.total + 1);
    expect(await spooled()).toEqual(kept);
  },
);

test("a name that is too long is refused, not left out", async () => {
  const response = await fetch(`${documents}?name=${"n".repeat(501)}`, { method: "POST", body: "Text." });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    detail: expect.stringContaining("501 characters, and may have 500"),
  });
});

test("a collection counts the documents that are ready apart from those that failed", async () => {
  const id = "counted";
  await read("/api/v1/collections", json("POST", { id, name: "Counted" }));
  const files = form(["good.txt", "The east gate is blue."], ["broken.pdf", "%PDF-1.7 and then nothing"]);
  const path = `/api/v1/collections/${id}/documents`;
  const { documents: taken } = await read<DocumentsAccepted>(path, { method: "POST", body: files });
  for (const { jobId } of taken) await (await fetch(`${server.url}/api/v1/jobs/${jobId}/events`)).text();
  expect(await read(`/api/v1/collections/${id}`)).toMatchObject({ documents: 2, ready: 1, failed: 1 });
});
