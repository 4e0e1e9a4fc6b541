import { discover } from "@enginehouse/llm-core/discovery";
import { findModel, isMissing } from "@enginehouse/vitest-preset/live";

import { figure, inProcess, median, type Table } from "../measure.ts";
import { type Answer, type Measured, type Setting, THREADS, type Way, WAYS, WINDOW } from "./setting.ts";

const SMOLLM = "SmolLM2-135M-Instruct.Q4_1.gguf";
const WAY_NAMES: Record<Way, string> = {
  direct: "node-llama-cpp by hand",
  none: 'provider, isolation "none"',
  process: 'provider, isolation "process"',
};

type Subject = Pick<Setting, "model" | "task" | "tokens"> & {
  readonly name: string;
  /** Waves for each number of parallel chats: about as much work for each. */
  readonly waves: Readonly<Record<number, number>>;
};

/** The chat model that a package brings, and the real one where it is installed. */
async function findSubjects(): Promise<{ subjects: readonly Subject[]; skipped: string }> {
  const { models, diagnostics } = await discover({ from: import.meta.url });
  const bundled = models.find(({ format, task }) => format === "gguf" && task === "chat");
  if (bundled === undefined)
    throw new Error(
      `no package brings a chat model: ${diagnostics.map(({ message }) => message).join("; ")}`,
    );
  const { id, path } = bundled;
  const toy: Subject = {
    name: id,
    model: { id, path },
    task: "copy",
    tokens: 192,
    waves: { 1: 8, 4: 4, 8: 2 },
  };
  const real = findModel(SMOLLM);
  if (isMissing(real)) {
    console.error(real.missing);
    return { subjects: [toy], skipped: "SmolLM2 was skipped: `pnpm engines` fetches it." };
  }
  const smollm: Subject = {
    name: "SmolLM2-135M Q4_1",
    model: { id: real, path: real },
    task: "story",
    tokens: 24,
    waves: { 1: 4, 4: 2, 8: 1 },
  };
  return { subjects: [toy, smollm], skipped: "" };
}

type Round = Readonly<Record<Way, Measured>>;

/** Each way in a process of its own; who goes first changes from round to round. */
async function measureRound(setting: Setting, round: number): Promise<Round> {
  const measured: Partial<Record<Way, Measured>> = {};
  const order = WAYS.map((_, index) => WAYS[(index + round) % WAYS.length] ?? "direct");
  for (const way of order) {
    measured[way] = await inProcess<Measured>("./engine/worker.ts", [way, JSON.stringify(setting)]);
  }
  assertSameWork(setting, measured as Round);
  return measured as Round;
}

const answersOf = ({ waves, conversation }: Measured): readonly Answer[] => [
  ...waves.flatMap(({ answers }) => answers),
  ...conversation,
];

/**
 * It must be the same work that is compared: the same prompts and, of one chat, the same answers to the letter. Of chats
 * in parallel the engine sums in another order with each batch, and which chats share one is a matter of microseconds:
 * even by hand a second run says other things where two words are as good as each other. There the lengths must agree.
 */
function assertSameWork({ model, parallel }: Setting, round: Round): void {
  const expected = answersOf(round.direct);
  const length = sum(expected.map((one) => one.outputTokens));
  for (const way of WAYS) {
    const answers = answersOf(round[way]);
    const what = `${model.id}, ${parallel} chats, ${WAY_NAMES[way]}`;
    for (const [index, { text, promptTokens }] of answers.entries()) {
      const by = expected[index];
      if (by?.promptTokens !== promptTokens)
        throw new Error(`${what}: prompt ${index} has ${promptTokens} tokens, by hand ${by?.promptTokens}`);
      if (parallel === 1 && by.text !== text)
        throw new Error(
          `${what}: answer ${index} is ${JSON.stringify(text)}, by hand ${JSON.stringify(by.text)}`,
        );
    }
    const [first, second] = round[way].conversation;
    if (first && second && second.evaluatedTokens > second.promptTokens - first.promptTokens)
      throw new Error(
        `${what}: the second turn evaluated ${second.evaluatedTokens} tokens, more than are new`,
      );
    const written = sum(answers.map((one) => one.outputTokens));
    if (Math.abs(written - length) > length * TOLERANCE)
      throw new Error(`${what}: wrote ${written} tokens, by hand ${length}`);
  }
}
const TOLERANCE = 0.2;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const speed = ({ waves }: Measured): number =>
  median(waves.map(({ ms, answers }) => (sum(answers.map((one) => one.outputTokens)) / ms) * 1_000));
const firstMs = ({ waves }: Measured): number =>
  median(waves.flatMap(({ answers }) => answers.map((one) => one.firstMs)));

/** The medians over the rounds of a figure, and of its ratio to the direct way's inside the round. */
function over(rounds: readonly Round[], way: Way, read: (measured: Measured) => number): [number, number] {
  const values = rounds.map((round) => read(round[way]));
  return [median(values), median(rounds.map((round) => read(round[way]) / read(round.direct)))];
}

const turn =
  (index: number, key: Exclude<keyof Answer, "text">) =>
  ({ conversation }: Measured): number =>
    conversation[index]?.[key] ?? Number.NaN;

export async function engineTables(rounds = 3): Promise<Table[]> {
  const { subjects, skipped } = await findSubjects();
  const speeds: string[][] = [];
  const turns: string[][] = [];
  for (const { name, waves, ...subject } of subjects) {
    for (const [parallel, count] of Object.entries(waves)) {
      const conversation = parallel === "1";
      const setting: Setting = { ...subject, parallel: Number(parallel), waves: count, conversation };
      const measured: Round[] = [];
      for (let round = 0; round < rounds; round += 1) measured.push(await measureRound(setting, round));
      speeds.push(...WAYS.map((way) => [name, parallel, WAY_NAMES[way], ...speedCells(measured, way)]));
      if (conversation) turns.push(...WAYS.map((way) => [name, WAY_NAMES[way], ...turnCells(measured, way)]));
    }
  }
  return [
    {
      title: "The engine through the provider",
      note:
        "Tokens a second of all parallel chats together, and milliseconds to the first text of each (median): the same model, prompts, sampling and window " +
        `(${WINDOW} tokens, ${THREADS} thread), each in a fresh process. The ratios are to node-llama-cpp by hand inside one round, median of ${rounds}. ` +
        "One chat gets the same answers to the letter, or the benchmark fails. Parallel chats are batched as they come, which changes the last digits of the sums: " +
        `there two runs by hand differ as well.${skipped === "" ? "" : ` ${skipped}`}`,
      columns: [
        "model",
        "chats",
        "way",
        "tokens/s",
        "/ by hand",
        "first text ms",
        "/ by hand",
        "same answers",
      ],
      rows: speeds,
    },
    {
      title: "A second turn",
      note: "A long first prompt, then one more question. Of the second prompt only what is new is evaluated: the end of the answer, the question and the template's marks around it.",
      columns: [
        "model",
        "way",
        "turn 1: prompt",
        "evaluated",
        "first text ms",
        "turn 2: prompt",
        "evaluated",
        "first text ms",
        "/ by hand",
        "turn 2 / turn 1",
      ],
      rows: turns,
    },
  ];
}

function speedCells(rounds: readonly Round[], way: Way): string[] {
  const [perSecond, faster] = over(rounds, way, speed);
  const [first, later] = over(rounds, way, firstMs);
  return [figure(perSecond, 0), figure(faster), figure(first, 1), figure(later), same(rounds, way)];
}

function same(rounds: readonly Round[], way: Way): string {
  const equal = rounds.flatMap((round) => {
    const byHand = answersOf(round.direct);
    return answersOf(round[way]).map(({ text }, index) => text === byHand[index]?.text);
  });
  return `${equal.filter(Boolean).length} of ${equal.length}`;
}

function turnCells(rounds: readonly Round[], way: Way): string[] {
  const [second, later] = over(rounds, way, turn(1, "firstMs"));
  const saved = median(
    rounds.map((round) => turn(1, "firstMs")(round[way]) / turn(0, "firstMs")(round[way])),
  );
  const counts = (index: number): string[] =>
    (["promptTokens", "evaluatedTokens"] as const).map((key) =>
      figure(over(rounds, way, turn(index, key))[0], 0),
    );
  const first = figure(over(rounds, way, turn(0, "firstMs"))[0], 1);
  return [...counts(0), first, ...counts(1), figure(second, 1), figure(later), figure(saved)];
}
