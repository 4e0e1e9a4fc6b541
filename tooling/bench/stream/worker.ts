// One client in a fresh process; prints one line of JSON. What it measures is named by its first argument.
import { CLIENTS } from "../clients/clients.ts";

const [job = "", name = "", base = "", model = "", ...rest] = process.argv.slice(2);
const client = CLIENTS[name];
if (client === undefined) throw new Error(`no client ${name}`);

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
const megabytes = (bytes: number): number => bytes / 2 ** 20;
const collectGarbage = (globalThis as { gc?: () => void }).gc;

const imported = performance.now();
const run = await client.setup();

const jobs: Record<string, () => Promise<object>> = {
  /** CPU for each token, over all streams. */
  async cost() {
    const [warm = 2, runs = 3, streams = 1] = rest.map(Number);
    const once = async (): Promise<{ tokens: number; cpuUs: number }> => {
      let tokens = 0;
      const onText = (): undefined => void (tokens += 1);
      const began = process.cpuUsage();
      await Promise.all(Array.from({ length: streams }, () => run({ base, model, onText })));
      const { user, system } = process.cpuUsage(began);
      return { tokens, cpuUs: user + system };
    };
    for (let index = 0; index < warm; index += 1) await once();
    const measured = [];
    for (let index = 0; index < runs; index += 1) {
      collectGarbage?.();
      measured.push(await once());
    }
    return { measured };
  },

  async cold() {
    let coldMs = 0;
    await run({ base, model, onText: () => void (coldMs ||= performance.now() - imported) });
    return { coldMs };
  },

  /** How far a reader that takes 2 ms for a token lets the server run ahead. */
  async slow() {
    await run({ base, model: "fast-2000", onText: () => undefined });
    collectGarbage?.();
    const start = process.memoryUsage().rss;
    let peak = start;
    let tokens = 0;
    const controller = new AbortController();
    const reading = run({
      base,
      model,
      signal: controller.signal,
      onText: async () => {
        tokens += 1;
        peak = Math.max(peak, process.memoryUsage.rss());
        await sleep(2);
      },
    }).catch(() => undefined);
    await sleep(Number(rest[0] ?? 3_000));
    const stats = (await (await fetch(`${base}/stats`)).json()) as { bytes: number }[];
    controller.abort();
    await reading;
    return { tokens, aheadMb: megabytes(stats.at(-1)?.bytes ?? 0), gainMb: megabytes(peak - start) };
  },

  /** When the client stopped, on the clock that the server reads too. */
  async stop() {
    const [how = "signal"] = rest;
    const controller = new AbortController();
    let tokens = 0;
    let at = 0n;
    const abort = (): void => {
      at = process.hrtime.bigint();
      controller.abort();
    };
    const reading = run({
      base,
      model,
      signal: controller.signal,
      onText: () => {
        tokens += 1;
        if (tokens < 20) return undefined;
        if (how === "signal") abort();
        if (how !== "leave") return undefined;
        at = process.hrtime.bigint();
        return false;
      },
    }).then(
      () => "returned",
      (error: unknown) => `threw ${String((error as { code?: string }).code ?? (error as Error).name)}`,
    );
    if (how === "before-headers") {
      await sleep(200);
      abort();
    }
    const outcome = await Promise.race([reading, sleep(3_000).then(() => "pending")]);
    await sleep(1_000);
    return { at: String(at), outcome };
  },
};

const result = await jobs[job]?.();
console.log(JSON.stringify(result));
process.exit(0);
