/**
 * Prints how good search, quotes and citations are on the question set of `eval/`, with the embedder that the service
 * would use. With a chat model, also how its answers fare:
 *
 *   node --conditions=@enginehouse/source src/eval/run.ts [--models FOLDER] [--model provider/model [--every N]] [--verbose]
 */
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { openService } from "../service.ts";
import { readSettings } from "../settings.ts";
import { measureAnswers } from "./answers.ts";
import { type EvaluationSet, measure, readEvaluationSet } from "./measure.ts";

const { values } = parseArgs({
  options: {
    models: { type: "string" },
    model: { type: "string" },
    /** Asks the model only every so manieth question. */
    every: { type: "string", default: "1" },
    verbose: { type: "boolean", default: false },
  },
});
const application = new URL("../../", import.meta.url);
const dataDir = await mkdtemp(join(tmpdir(), "rag-eval-"));
const settings = readSettings({ ...process.env, ENGINEHOUSE_DATA_DIR: dataDir });
if (values.models !== undefined) await linkModels(resolve(values.models), settings.modelsDir);
const service = await openService(settings);
try {
  const { store } = service;
  const embedder = await service.models.embedder();
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(`embedder: ${embedder === undefined ? "none" : `${embedder.provider}/${embedder.model}`}`);

  const figures = await measure({ application, store, dataDir, embedder });
  print(`${figures.questions} questions, ${figures.windows} windows\n`);
  for (const [mode, { hit1, hit5, mrr }] of Object.entries(figures.retrieval)) {
    print(`search, ${mode.padEnd(8)} hit@1 ${percent(hit1)}  hit@5 ${percent(hit5)}  MRR@10 ${percent(mrr)}`);
  }
  for (const [name, scores] of [
    ["quotes", figures.quotes],
    ["quotes, embedder", figures.quotesWithEmbedder],
  ] as const) {
    if (scores !== undefined)
      print(
        `${name.padEnd(16)} first ${percent(scores.first)}  three ${percent(scores.three)}  five ${percent(scores.five)}`,
      );
  }
  for (const [name, { precision, recall, place, strayed }] of [
    ["citations", figures.citations],
    ["citations, held out", figures.heldOut],
    ["citations, fresh", figures.fresh],
  ] as const) {
    print(
      `${name.padEnd(20)} precision ${percent(precision)}  recall ${percent(recall)}  right place ${percent(place)}  without source ${percent(strayed)}`,
    );
  }
  const { answerable, unanswerable } = figures.coverage;
  print(
    `words of the question found: ${percent(answerable)} with an answer, ${percent(unanswerable)} without`,
  );
  if (values.verbose) print(`\n${figures.misses.join("\n")}`);

  if (values.model !== undefined) {
    const target = await service.models.find(values.model);
    const provider = await service.registry.provider(target.providerId);
    const onAnswer = (question: string, answer: string, flagged: boolean) => {
      if (values.verbose)
        print(
          `${flagged ? "flagged " : "        "}${question} -> ${answer.replace(/\s+/g, " ").slice(0, 200)}`,
        );
    };
    const scores = await measureAnswers({
      set: sample(await readEvaluationSet(application), Number(values.every)),
      store,
      embedder,
      provider,
      target,
      onAnswer,
    });
    print(`\nanswers of ${values.model}`);
    for (const [name, score] of Object.entries(scores))
      print(`${name.padEnd(22)} ${name === "questions" ? score : percent(score)}`);
  }
} finally {
  await service.close();
  await rm(dataDir, { recursive: true, force: true });
}

/** A part of the questions, where a slow machine has no time for all. */
function sample(set: EvaluationSet, every: number): EvaluationSet {
  const some = <T>(all: readonly T[]) => all.filter((_one, at) => at % every === 0);
  return { ...set, answerable: some(set.answerable), unanswerable: some(set.unanswerable) };
}

function percent(value: number): string {
  return value.toFixed(3).replace(/^0/, "").padStart(5);
}

async function linkModels(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from))
    if (name.endsWith(".gguf")) await symlink(join(from, name), join(to, name));
}
