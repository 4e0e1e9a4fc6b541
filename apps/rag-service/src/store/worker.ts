import { parentPort, workerData } from "node:worker_threads";

import { type Fault, readFault } from "./fault.ts";
import { createOperations, type DatabaseSettings, type Operations } from "./operations.ts";

/** One call into the thread, and its reply. */
export interface Call {
  readonly id: number;
  readonly name: keyof Operations;
  readonly values: readonly unknown[];
}

export interface Reply {
  /** That of the call; -1 for the opening of the database itself. */
  readonly id: number;
  readonly value?: unknown;
  readonly fault?: Fault;
}

if (parentPort === null) throw new Error("this module is the body of a worker thread");
const port = parentPort;
const operations = open();

function open(): Operations | undefined {
  try {
    const opened = createOperations(workerData as DatabaseSettings);
    port.postMessage({ id: -1 } satisfies Reply);
    return opened;
  } catch (error) {
    port.postMessage({ id: -1, fault: readFault(error) } satisfies Reply);
    return undefined;
  }
}

port.on("message", ({ id, name, values }: Call) => {
  if (operations === undefined) return;
  try {
    const operation = operations[name] as (...values: readonly unknown[]) => unknown;
    port.postMessage({ id, value: operation(...values) } satisfies Reply);
  } catch (error) {
    port.postMessage({ id, fault: readFault(error) } satisfies Reply);
  }
  if (name === "close") port.close();
});
