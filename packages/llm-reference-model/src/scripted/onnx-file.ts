import { writeFileSync } from "node:fs";

import { bytesField, integerField, textField } from "./protobuf.ts";

/** A float or integer tensor; `shape` is slowest dimension first, as everywhere in ONNX. */
export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** The name of a value, and its dimensions: numbers, or names for those that vary. */
export interface OnnxValue {
  readonly name: string;
  readonly type: "float" | "integer";
  readonly shape: readonly (number | string)[];
}

/** Collects the nodes of a graph; what `constant` and `node` return is the name of a value. */
export interface OnnxGraph {
  constant(tensor: OnnxTensor): string;
  node(operator: string, inputs: readonly string[], options?: NodeOptions): string;
  write(path: string, inputs: readonly OnnxValue[], outputs: readonly OnnxValue[]): void;
}

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  /** The name of the result, where it is an output of the graph. */
  readonly output?: string;
}

const DATA_TYPE = { float: 1, integer: 7 } as const;
const ATTRIBUTE_TYPE = { integer: 2, integers: 7 } as const;
const FORMAT_VERSION = 8;
const OPERATOR_SET = 17;

export function createOnnxGraph(): OnnxGraph {
  const nodes: Buffer[] = [];
  const constants: Buffer[] = [];
  return {
    constant({ shape, data }) {
      const name = `constant_${constants.length}`;
      const type = data instanceof Float32Array ? DATA_TYPE.float : DATA_TYPE.integer;
      constants.push(
        Buffer.concat([
          ...shape.map((length) => integerField(1, length)),
          integerField(2, type),
          textField(8, name),
          bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
        ]),
      );
      return name;
    },
    node(operator, inputs, { attributes = {}, output = `value_${nodes.length}` } = {}) {
      nodes.push(
        Buffer.concat([
          ...inputs.map((input) => textField(1, input)),
          textField(2, output),
          textField(3, `node_${nodes.length}`),
          textField(4, operator),
          ...Object.entries(attributes).map(([name, value]) => bytesField(5, attribute(name, value))),
        ]),
      );
      return output;
    },
    write(path, inputs, outputs) {
      const graph = Buffer.concat([
        ...nodes.map((node) => bytesField(1, node)),
        textField(2, "scripted"),
        ...constants.map((tensor) => bytesField(5, tensor)),
        ...inputs.map((value) => bytesField(11, valueInfo(value))),
        ...outputs.map((value) => bytesField(12, valueInfo(value))),
      ]);
      const operators = Buffer.concat([textField(1, ""), integerField(2, OPERATOR_SET)]);
      writeFileSync(
        path,
        Buffer.concat([
          integerField(1, FORMAT_VERSION),
          textField(2, "llm-reference-model"),
          bytesField(7, graph),
          bytesField(8, operators),
        ]),
      );
    },
  };
}

function attribute(name: string, value: number | readonly number[]): Buffer {
  return typeof value === "number"
    ? Buffer.concat([textField(1, name), integerField(3, value), integerField(20, ATTRIBUTE_TYPE.integer)])
    : Buffer.concat([
        textField(1, name),
        ...value.map((one) => integerField(8, one)),
        integerField(20, ATTRIBUTE_TYPE.integers),
      ]);
}

function valueInfo({ name, type, shape }: OnnxValue): Buffer {
  const dimensions = shape.map((length) =>
    bytesField(1, typeof length === "number" ? integerField(1, length) : textField(2, length)),
  );
  const tensor = Buffer.concat([integerField(1, DATA_TYPE[type]), bytesField(2, Buffer.concat(dimensions))]);
  return Buffer.concat([textField(1, name), bytesField(2, bytesField(1, tensor))]);
}
