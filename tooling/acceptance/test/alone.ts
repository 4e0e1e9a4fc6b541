// Runs inside a network namespace of its own, which has nothing but loopback: starts the deployed service in the
// folder of its first argument, asks it, and prints what happened as one line of JSON.
import { addText, type Answer, postJson, start } from "./deployed.ts";

const [folder = ""] = process.argv.slice(2);
const outside = await fetch("http://192.0.2.1/", { signal: AbortSignal.timeout(2_000) }).then(
  () => "reached",
  (error: unknown) => String((error as { cause?: { code?: string } }).cause?.code),
);
const service = await start({ folder, depend: async () => undefined, remove: async () => undefined });
try {
  await addText(service.url, "a.txt", "The lamp of Cape Rook burns green. Nobody knows who lit it first.");
  const question = "Which colour has the lamp of Cape Rook?";
  const answer = await postJson<Answer>(`${service.url}/api/v1/answer`, { question, stream: false });
  const page = await (await fetch(service.url)).text();
  console.log(JSON.stringify({ outside, answer, page: page.includes("<title>") }));
} finally {
  await service.stop();
}
