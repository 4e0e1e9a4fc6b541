/** A field of a protobuf message: a number, or the bytes of a text or of a message inside. */
interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

export interface OnnxModel {
  readonly operatorSet: number;
  readonly nodes: readonly {
    readonly operator: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[];
  readonly constants: readonly {
    readonly name: string;
    readonly type: number;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Reads as much of an ONNX file as is needed to see whether its parts fit together. */
export function readOnnx(file: Buffer): OnnxModel {
  const model = fields(file);
  const graph = fields(one(model, 7));
  return {
    operatorSet: Number(fields(one(model, 8)).find(({ number }) => number === 2)?.value),
    nodes: all(graph, 1)
      .map(fields)
      .map((node) => ({
        operator: one(node, 4).toString(),
        inputs: all(node, 1).map(String),
        outputs: all(node, 2).map(String),
      })),
    constants: all(graph, 5)
      .map(fields)
      .map((tensor) => ({
        name: one(tensor, 8).toString(),
        type: Number(tensor.find(({ number }) => number === 2)?.value),
        shape: tensor.filter(({ number }) => number === 1).map(({ value }) => Number(value)),
        bytes: one(tensor, 9).length,
      })),
    inputs: all(graph, 11).map((value) => one(fields(value), 1).toString()),
    outputs: all(graph, 12).map((value) => one(fields(value), 1).toString()),
  };
}

function fields(message: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = tag >> 3;
    if ((tag & 7) === 0) {
      found.push({ number, value: varint() });
    } else if ((tag & 7) === 2) {
      const length = varint();
      if (at + length > message.length) throw new Error("A field reaches beyond its message.");
      found.push({ number, value: message.subarray(at, at + length) });
      at += length;
    } else {
      throw new Error(`A field of an unexpected kind: ${tag & 7}.`);
    }
  }
  return found;
}

function all(message: readonly Field[], number: number): Buffer[] {
  return message.flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  );
}

function one(message: readonly Field[], number: number): Buffer {
  const [value] = all(message, number);
  if (value === undefined) throw new Error(`The field ${number} is missing.`);
  return value;
}
