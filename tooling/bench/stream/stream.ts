import { CLIENTS } from "../clients/clients.ts";
import { figure, inProcess, median, type Mock, startMock, type Table } from "../measure.ts";

interface Cost {
  readonly measured: readonly { readonly tokens: number; readonly cpuUs: number }[];
}

const NAMES = Object.keys(CLIENTS);
const OURS = NAMES.filter((name) => !name.startsWith("raw"));

async function withMocks<Result>(
  work: (mocks: Record<"ndjson" | "sse", Mock>) => Promise<Result>,
): Promise<Result> {
  const mocks = { ndjson: await startMock("ndjson"), sse: await startMock("sse") };
  try {
    return await work(mocks);
  } finally {
    mocks.ndjson.stop();
    mocks.sse.stop();
  }
}

/** CPU for each token as a ratio inside one round, and the median of the rounds. */
async function cost(
  model: string,
  streams: number,
  rounds: number,
  warm: number,
  runs: number,
): Promise<Map<string, number[]>> {
  return withMocks(async (mocks) => {
    const perToken = new Map<string, number[]>(NAMES.map((name) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const name of round % 2 === 0 ? NAMES : NAMES.toReversed()) {
        const client = CLIENTS[name];
        if (client === undefined) continue;
        const args = [
          "cost",
          name,
          mocks[client.dialect].base,
          model,
          String(warm),
          String(runs),
          String(streams),
        ];
        const { measured } = await inProcess<Cost>("./stream/worker.ts", args);
        const expected = Number(model.split("-")[1]) * streams;
        for (const { tokens } of measured) {
          if (tokens !== expected)
            throw new Error(`${name} handed out ${tokens} texts instead of ${expected}`);
        }
        perToken.get(name)?.push(median(measured.map(({ cpuUs, tokens }) => cpuUs / tokens)));
      }
    }
    return perToken;
  });
}

const ratio = (values: Map<string, number[]>, name: string, against: string): number =>
  median(
    (values.get(name) ?? []).map((value, round) => value / (values.get(against)?.[round] ?? Number.NaN)),
  );

export async function streamTables(rounds: number): Promise<Table[]> {
  const burst = await cost("fast-20000", 1, rounds, 2, 3);
  const paced = await cost("paced-100-20", 64, Math.max(2, Math.ceil(rounds / 2)), 3, 3);
  const rows = NAMES.map((name) => {
    const raw = CLIENTS[name]?.against ?? name;
    const own = name.replace("ours-fetch", "raw").replace("ours-http", "http");
    return [
      name,
      figure(median(burst.get(name) ?? [])),
      figure(ratio(burst, name, raw)),
      figure(ratio(burst, name, own)),
      figure(median(paced.get(name) ?? []), 1),
      figure(ratio(paced, name, raw)),
    ];
  });
  return [
    {
      title: "A streamed token",
      note:
        "CPU of the client's process for each token, in µs, and as a ratio to the hand-written client inside the same round (median of the rounds). " +
        "Burst: 20,000 tokens as fast as the socket gives them. 64×50: 64 streams at 50 tokens/s in one process, after three such runs to warm up. " +
        "raw is fetch with a parser by hand, http the same parser on node:http, ours a provider over llm-core and llm-wire on either transport.",
      columns: ["client", "burst µs", "burst / raw", "burst / same transport", "64×50 µs", "64×50 / raw"],
      rows,
    },
  ];
}

const PACKAGES: Record<string, readonly string[]> = {
  "llm-core": ["@enginehouse/llm-core"],
  "llm-core, llm-wire": ["@enginehouse/llm-core", "@enginehouse/llm-wire"],
  "llm-core, llm-provider-llamacpp": ["@enginehouse/llm-core", "@enginehouse/llm-provider-llamacpp"],
  "node:http, for comparison": ["node:http"],
};

interface Import {
  readonly importMs: number;
  readonly importMb: number;
}

export async function coldTables(rounds: number): Promise<Table[]> {
  return withMocks(async (mocks) => {
    const imports: string[][] = [];
    for (const [label, packages] of Object.entries(PACKAGES)) {
      const found: Import[] = [];
      for (let round = 0; round < rounds * 3; round += 1)
        found.push(await inProcess("./stream/import.mjs", packages));
      const ms = median(found.map((one) => one.importMs));
      imports.push([label, figure(ms, 1), figure(median(found.map((one) => one.importMb)), 1)]);
    }
    const first: string[][] = [];
    for (const name of NAMES) {
      const dialect = CLIENTS[name]?.dialect ?? "ndjson";
      const found: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const { coldMs } = await inProcess<{ coldMs: number }>("./stream/worker.ts", [
          "cold",
          name,
          mocks[dialect].base,
          "fast-10",
        ]);
        found.push(coldMs);
      }
      first.push([name, figure(median(found), 1)]);
    }
    return [
      {
        title: "An import",
        note: "Built packages, each in a fresh process; median. What a provider's backend needs (its SDK, zod, node:http) is imported at its first use.",
        columns: ["packages", "ms", "MB"],
        rows: imports,
      },
      {
        title: "A cold first token",
        note: "From nothing imported to the first token of the first request, in a fresh process; median.",
        columns: ["client", "ms"],
        rows: first,
      },
    ];
  });
}

export async function slowTable(): Promise<Table> {
  return withMocks(async (mocks) => {
    const rows: string[][] = [];
    for (const name of OURS.filter((one) => one.startsWith("ours"))) {
      const dialect = CLIENTS[name]?.dialect ?? "ndjson";
      const args = ["slow", name, mocks[dialect].base, "fast-2000000", "3000"];
      const { tokens, aheadMb, gainMb } = await inProcess<Record<"tokens" | "aheadMb" | "gainMb", number>>(
        "./stream/worker.ts",
        args,
      );
      rows.push([name, String(tokens), figure(aheadMb, 1), figure(gainMb, 1)]);
    }
    return {
      title: "A slow reader",
      note: "A stream of 2,000,000 tokens read at 2 ms a token for 3 s: how far the server could run ahead (kernel buffers, 3 to 5 MB on loopback, included) and what the process grew by.",
      columns: ["client", "tokens read", "server ahead MB", "memory gained MB"],
      rows,
    };
  });
}

export async function stopTable(rounds: number): Promise<Table> {
  const ways = {
    signal: "paced-100000-2",
    leave: "paced-100000-2",
    "before-headers": "late-100-20000",
  } as const;
  return withMocks(async (mocks) => {
    const rows: string[][] = [];
    for (const name of OURS) {
      const dialect = CLIENTS[name]?.dialect ?? "ndjson";
      const { base } = mocks[dialect];
      const cells: string[] = [];
      for (const [how, model] of Object.entries(ways)) {
        const taken: number[] = [];
        let ended = "";
        for (let round = 0; round < rounds; round += 1) {
          const { at, outcome } = await inProcess<{ at: string; outcome: string }>("./stream/worker.ts", [
            "stop",
            name,
            base,
            model,
            how,
          ]);
          const stats = (await (await fetch(`${base}/stats`)).json()) as { closedAt?: string }[];
          const { closedAt } = stats.at(-1) ?? {};
          taken.push(closedAt === undefined ? Number.NaN : Number(BigInt(closedAt) - BigInt(at)) / 1e6);
          ended = outcome;
        }
        cells.push(`${figure(median(taken), 1)} (${ended})`);
      }
      rows.push([name, ...cells]);
    }
    return {
      title: "Stopping",
      note: "Milliseconds from the caller's stop until the server saw the socket close, and how the call ended. 'never' would show as –.",
      columns: ["client", "signal", "leaving the loop", "signal before headers"],
      rows,
    };
  });
}
