/**
 * Models that are written down, not trained: they answer word for word as a script says, in real engines. For tests.
 */
export { writeScriptedGguf, type ScriptedModelOptions } from "./scripted/scripted-gguf.ts";
export { writeScriptedOnnx } from "./scripted/scripted-onnx.ts";
export type { Script, ScriptedCall, ScriptedReply, ScriptedRule } from "./scripted/script.ts";
export { writeRandomGguf, type RandomModelOptions } from "./scripted/random-gguf.ts";
export {
  writeEmbedderGguf,
  writeRerankerGguf,
  type EmbedderOptions,
  type RerankerOptions,
} from "./scripted/bert-gguf.ts";
export { writeDamagedGguf, type Damage } from "./scripted/damaged-gguf.ts";
