import type { EngineChoice, EngineName } from "../../src/model/trunk.ts";

/** The setting ENGINE of Workers in tests: `XPEFT_ENGINE=onnxruntime` runs them without kernels. */
export const ENGINE_CHOICE: EngineChoice = process.env.XPEFT_ENGINE === "onnxruntime" ? "onnxruntime" : "auto";

/** What can read the texts of a Worker. */
export type WorkerEngine = Exclude<EngineName, "native">;

/** What then reads the texts of the default bundle. */
export const ENGINE_NAME: WorkerEngine = ENGINE_CHOICE === "auto" ? "kernels" : "onnxruntime";
