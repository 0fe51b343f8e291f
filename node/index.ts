/**
 * The engine in Node, without a Worker: it predicts from the files of a task and its profiles.
 *
 * @example
 * import { DEFAULT_BUNDLE, loadEngine, readProfilesFile, readTaskFile } from "xpeft-edge/engine";
 *
 * const engine = await loadEngine(DEFAULT_BUNDLE);
 * const task = await readTaskFile("task.json", engine.bundle);
 * const [profile] = await readProfilesFile("profiles.ndjson", task, engine.bundle);
 * const { predictions } = await engine.predict(task, [{ parts: profile, input: { text: "A text" } }]);
 */

export { XpeftError } from "../src/errors.ts";
export type { NewProfile, ProfileParts } from "../src/profiles/profile.ts";
export type { NewTask } from "../src/profiles/task.ts";
export type { Engine } from "../src/serving/engine.ts";
export type { EngineInput } from "../src/serving/label-texts.ts";
export type { Prediction } from "../src/serving/prediction.ts";
export type { TextInput } from "../src/text/tokenizer.ts";
export { loadEngine } from "./engine.ts";
export { CommandError } from "./errors.ts";
export { DEFAULT_BUNDLE, readProfilesFile, readTaskFile } from "./files.ts";
