import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { lockDataFolder } from "../src/data-lock.ts";
import { startServer, type RunningServer } from "../src/server.ts";
import { readSettings } from "../src/settings.ts";

let data: string;
const open: RunningServer[] = [];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "rag-start-"));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((running) => running.close()));
  await rm(data, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function start(port: number): Promise<RunningServer> {
  const settings = readSettings({ ENGINEHOUSE_DATA_DIR: data, PORT: String(port) });
  const running = await startServer(settings, { plugins: [] });
  open.push(running);
  return running;
}

describe("a start", () => {
  test("answers also the request that comes before the documents are open", async () => {
    const port = await freePort();
    const starting = start(port);
    let answered: Response | undefined;
    for (let attempt = 0; answered === undefined && attempt < 500; attempt += 1) {
      answered = await fetch(`http://127.0.0.1:${port}/healthz`, {
        signal: AbortSignal.timeout(20_000),
      }).catch((error: unknown) => {
        // Nothing listens yet; anything else is the fault that this test is about.
        if (!String((error as Error).cause).includes("ECONNREFUSED")) throw error;
        return undefined;
      });
    }
    expect(answered?.status).toBe(200);
    await starting;
  });

  test("of a second service on the same data folder is refused with what to do", async () => {
    await start(await freePort());
    await expect(start(await freePort())).rejects.toMatchObject({
      code: "unavailable",
      hint: expect.stringContaining("ENGINEHOUSE_DATA_DIR"),
    });
  });

  test("finds the folder free after the other one was stopped", async () => {
    const first = await start(await freePort());
    await first.close();
    const second = await start(await freePort());
    expect((await fetch(`${second.url}/healthz`)).status).toBe(200);
  });
});

describe("a start over damaged data", () => {
  const DAMAGED = Buffer.alloc(20_000, "no database ");

  test.each([
    ["the documents", "enginehouse.sqlite", "damaged"],
    ["former answers", "runs.sqlite", "move it away"],
    ["the lock", "lock.sqlite", "ENGINEHOUSE_DATA_DIR"],
  ])("names the file of %s and says what to do", async (_what, file, hint) => {
    await writeFile(join(data, file), DAMAGED);
    const refused: unknown = await start(await freePort()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "invalid-settings", message: expect.stringContaining(data) });
    expect(refused).toMatchObject({ hint: expect.stringContaining(hint) });
  });

  test("says so when the data folder is a file", async () => {
    await writeFile(join(data, "file"), "");
    expect(() => lockDataFolder(join(data, "file"))).toThrow(/data folder .* cannot be written/);
  });
});

test("the lock can be given back twice, and taken again", () => {
  const lock = lockDataFolder(data);
  expect(() => lockDataFolder(data)).toThrow(/in use/);
  lock.release();
  lock.release();
  lockDataFolder(data).release();
});
