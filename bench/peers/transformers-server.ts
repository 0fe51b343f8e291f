// `node bench/peers/transformers-server.ts FOLDER MODEL`: serves FOLDER's task, its head over the plain PLM, by transformers.js
// on one thread. `python -m bench.peers.export` writes MODEL.
import { basename, dirname, join, resolve } from "node:path";
import { AutoModel, AutoTokenizer, env, mean_pooling } from "@huggingface/transformers";
import { readBundle, readTaskFile } from "../../node/files.ts";
import { BUNDLE } from "../graphs.ts";
import { predictionOf, serve } from "./serve.ts";

const [folder = ".", model = "."] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = dirname(resolve(model));
const task = await readTaskFile(join(folder, "task.json"), await readBundle(BUNDLE));
const name = basename(model);
const tokenize = await AutoTokenizer.from_pretrained(name);
const plm = await AutoModel.from_pretrained(name, {
  dtype: "q8",
  device: "cpu",
  session_options: { executionMode: "sequential", intraOpNumThreads: 1, interOpNumThreads: 1 },
});

await serve(async ({ text }) => {
  const inputs = tokenize(text, { truncation: true });
  const { last_hidden_state } = await plm(inputs);
  const features = mean_pooling(last_hidden_state, inputs.attention_mask).data;
  if (!(features instanceof Float32Array)) throw new TypeError("The PLM returned no features.");
  return predictionOf(task, features, inputs.input_ids.size);
});
