// One way to hold chats, in a fresh process; prints one line of JSON.
import type { Answer, Measured, Setting, Talker, Turn, Way } from "./setting.ts";
import { FOLLOW_UP, longQuestion, question } from "./words.ts";

const [way, json] = process.argv.slice(2) as [Way, string];
const setting = JSON.parse(json) as Setting;
const lanes = Array.from({ length: setting.parallel }, (_, lane) => lane);

async function createTalker(): Promise<Talker> {
  if (way === "direct") return (await import("./direct.ts")).createDirect(setting);
  return (await import("./ours.ts")).createOurs(setting, way);
}

async function hold(talker: Talker, wave: number, tokens: number): Promise<Measured["waves"][number]> {
  const began = performance.now();
  const answers = await Promise.all(
    lanes.map((lane) => {
      const content = question(setting.task, wave * setting.parallel + lane);
      return talker.chat([{ role: "user", content }], tokens, lane);
    }),
  );
  return { ms: performance.now() - began, answers };
}

/** A long text with a question about it, then one more question. */
async function converse(talker: Talker): Promise<Answer[]> {
  const turns: Turn[] = [{ role: "user", content: longQuestion() }];
  const first = await talker.chat(turns, setting.tokens, 0);
  turns.push({ role: "assistant", content: first.text }, { role: "user", content: FOLLOW_UP });
  return [first, await talker.chat(turns, setting.tokens, 0)];
}

const talker = await createTalker();
// Loads the model and makes all that is made once.
await hold(talker, setting.waves, 8);
const waves: Measured["waves"][number][] = [];
for (let wave = 0; wave < setting.waves; wave += 1) waves.push(await hold(talker, wave, setting.tokens));
const conversation = setting.conversation ? await converse(talker) : [];
await talker.close();
console.log(JSON.stringify({ waves, conversation } satisfies Measured));
process.exit(0);
