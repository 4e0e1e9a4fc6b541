import type { EventBatch, Warning } from "@enginehouse/llm-core";
import type { AnswerDecoder, Encoded } from "@enginehouse/llm-openai-dialect";
import { type FetchLike, readsOf } from "@enginehouse/llm-wire";

type Exchange = NonNullable<FetchLike["exchange"]>;
type Reply = Awaited<ReturnType<Exchange>>;

/** What is asked for so that thoughts can go back with the next turn. */
const INCLUDE = "reasoning.encrypted_content";

const REFUSES = /encrypted content is not supported|reasoning input items can only be provided/i;

/**
 * OpenAI's models without thoughts refuse a request that asks for encrypted ones, or has those of another model, and
 * nothing else tells which they are: such a request goes once more without. `thoughtless` gets the model's name, so that
 * it is not asked so again.
 */
export function withoutThoughts(fetch: FetchLike, thoughtless: Set<string>): FetchLike {
  const { exchange, reportsConnect } = fetch;
  if (exchange === undefined) return fetch;
  const relenting: Exchange = async (url, sent, asker) => {
    const { href, pathname } = url;
    const reply = await exchange(url, sent, asker);
    if (reply.status !== 400 || sent.body === undefined || !pathname.endsWith("/responses")) return reply;
    const { status, headers } = reply;
    const said = await textOf(reply);
    const asked = REFUSES.test(said) ? bodyOf(sent.body) : undefined;
    if (asked === undefined) return { status, headers, reads: () => readsOf(new Response(said)) };
    thoughtless.add(asked.model);
    const { include: _, ...rest } = asked;
    const without = { ...rest, input: asked.input.filter((item) => !isThought(item)) };
    // A transport may have made the first address its own.
    return exchange(new URL(href), { ...sent, body: JSON.stringify(without) }, asker);
  };
  const plain: FetchLike = (input, init) => fetch(input, init);
  return Object.assign(plain, { reportsConnect, exchange: relenting });
}

/** `start` waits for the first event where earlier thoughts may still be refused: then its warnings tell that they were left out. */
export function startingLate(
  decoder: AnswerDecoder,
  { body }: Pick<Encoded, "body">,
  warnings: () => readonly Warning[],
): AnswerDecoder {
  if (body["include"] === undefined || !(body as Partial<Body>).input?.some(isThought)) return decoder;
  let started = false;
  const begin = (): EventBatch => {
    if (started) return [];
    started = true;
    return decoder
      .start()
      .map((event) => (event.type === "start" ? { ...event, warnings: warnings() } : event));
  };
  return {
    ...decoder,
    start: () => [],
    add(pieces) {
      const events = decoder.add(pieces);
      return events.length === 0 ? events : [...begin(), ...events];
    },
    finish() {
      const events = decoder.finish();
      return [...begin(), ...events];
    },
  };
}

interface Body {
  readonly model: string;
  readonly include: unknown;
  readonly input: readonly unknown[];
}

const isThought = (item: unknown): boolean => (item as { readonly type?: unknown }).type === "reasoning";

/** A list of the caller's own is the caller's. */
function bodyOf(sent: string | Uint8Array): Body | undefined {
  const text = typeof sent === "string" ? sent : new TextDecoder().decode(sent);
  const body = JSON.parse(text) as Body & {
    readonly include?: readonly unknown[];
  };
  const { include = [] } = body;
  return include.length === 1 && include[0] === INCLUDE ? body : undefined;
}

/** What breaks off has said as much as it has: the status stands. */
async function textOf(reply: Reply): Promise<string> {
  const reads = reply.reads();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let read = await reads.next(); read.done !== true && text.length < LIMIT; read = await reads.next())
      text += decoder.decode(read.value, { stream: true });
  } catch {
    return text;
  } finally {
    await reads.return().catch(() => undefined);
  }
  return text;
}

/** As much of an error as is read anywhere. */
const LIMIT = 64 * 1024;
