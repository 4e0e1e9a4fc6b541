export { writeScriptedGguf, type ScriptedModelOptions } from "./scripted/scripted-gguf.ts";
export type { Script, ScriptedCall, ScriptedReply, ScriptedRule } from "./scripted/script.ts";
