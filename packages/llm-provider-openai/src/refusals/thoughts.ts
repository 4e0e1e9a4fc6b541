import { type FetchLike, readsOf } from "@enginehouse/llm-wire";

type Exchange = NonNullable<FetchLike["exchange"]>;
type Reply = Awaited<ReturnType<Exchange>>;

/** What is asked for so that thoughts can go back with the next turn. */
const INCLUDE = "reasoning.encrypted_content";

const REFUSES = /encrypted content is not supported/i;

/**
 * OpenAI's models without thoughts refuse a request that asks for encrypted ones, and nothing else tells which they are:
 * such a request goes once more without. `thoughtless` gets the model's name, so that it is not asked so again.
 */
export function withoutThoughts(fetch: FetchLike, thoughtless: Set<string>): FetchLike {
  const { exchange, reportsConnect } = fetch;
  if (exchange === undefined) return fetch;
  const relenting: Exchange = async (url, sent, init) => {
    const reply = await exchange(url, sent, init);
    if (reply.status !== 400 || sent.body === undefined || !url.pathname.endsWith("/responses")) return reply;
    const { status, headers } = reply;
    const said = await textOf(reply);
    const asked = REFUSES.test(said) ? bodyOf(sent.body) : undefined;
    if (asked === undefined) return { status, headers, reads: () => readsOf(new Response(said)) };
    thoughtless.add(asked.model);
    const { include: _, ...rest } = asked;
    return exchange(url, { ...sent, body: new TextEncoder().encode(JSON.stringify(rest)) }, init);
  };
  const plain: FetchLike = (input, init) => fetch(input, init);
  return Object.assign(plain, { reportsConnect, exchange: relenting });
}

/** A list of the caller's own is the caller's. */
function bodyOf(bytes: Uint8Array): { readonly model: string; readonly include: unknown } | undefined {
  const body = JSON.parse(new TextDecoder().decode(bytes)) as { model: string; include?: readonly unknown[] };
  const { include = [] } = body;
  return include.length === 1 && include[0] === INCLUDE ? { ...body, include } : undefined;
}

async function textOf(reply: Reply): Promise<string> {
  const reads = reply.reads();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let read = await reads.next(); read.done !== true && text.length < LIMIT; read = await reads.next())
      text += decoder.decode(read.value, { stream: true });
  } finally {
    await reads.return().catch(() => undefined);
  }
  return text;
}

/** As much of an error as is read anywhere. */
const LIMIT = 64 * 1024;
