/** Takes documents in without end and prints each that was acknowledged, until somebody kills it. */
import { join } from "node:path";

import { createIngestor } from "../src/ingest/ingest.ts";
import { openStore } from "../src/store/open.ts";
import { createWordEmbedder } from "./word-embedder.ts";

const [folder = "", round = "0"] = process.argv.slice(2);
const store = await openStore({ path: join(folder, "enginehouse.db") });
const embedder = createWordEmbedder();
const ingestor = createIngestor({
  store,
  embedder: () => embedder,
  dataDir: folder,
  settings: { windowTokens: 40, windowOverlap: 4 },
});
await ingestor.start();
for (let count = 0; ; count++) {
  const name = `${round}-${count}.txt`;
  const text = Array.from({ length: 80 }, (_none, at) => `Line ${at} of ${name} is here and whole.`).join(
    "\n\n",
  );
  const { documentId } = await ingestor.submit(Buffer.from(text), { name });
  process.stdout.write(`${JSON.stringify({ documentId, text })}\n`);
}
