import { LRUCache } from "lru-cache";
import { type ReadFile, readManifest, readVerified } from "./bundle/files.ts";
import { type Manifest, oneWithRole, withRole } from "./bundle/manifest.ts";
import { createEncoder } from "./encoder.ts";
import { XpeftError } from "./errors.ts";
import { bestLabel, scoreLabels } from "./head.ts";
import { readLabelBias } from "./label-bias.ts";
import { unpackMasks } from "./masks.ts";
import { type MergedAdapters, mergeAdapters, mergedBytes } from "./merge.ts";
import { loadPool } from "./pool.ts";
import { heapBytes } from "./runtime.ts";
import { createTokenizer, type TextInput, type TokenizedText } from "./tokenizer.ts";

export type { TextInput } from "./tokenizer.ts";

/** A task's row. */
export interface Task {
  readonly name: string;
  /** Id of the bundle that head and masks were trained on. */
  readonly bundle: string;
  /** In the order of the logits. */
  readonly labels: readonly string[];
  /** Texts are cut to this many tokens, special tokens included. */
  readonly maxTokens: number;
  /** Weight `[labels, hidden]`, then bias `[labels]`. */
  readonly head: Float32Array;
  /** Mask blob of the task's default profile. */
  readonly masks: Uint8Array;
  readonly generation: number;
}

/** What a profile has of its own. */
export interface ProfileParts {
  readonly masks: Uint8Array;
  /** One int8 for each label; null where the profile has none. */
  readonly labelBias: Uint8Array | null;
}

/** The answer for one text. */
export interface Prediction {
  readonly label: string;
  /** Score of the label, 0 to 1. */
  readonly score: number;
  /** Scores of all labels in the task's order; their sum is 1. */
  readonly scores: readonly number[];
  /** Tokens read, special tokens included. */
  readonly tokens: number;
  readonly truncated: boolean;
}

/** Milliseconds of each step, all texts of a call together. Deployed Workers' clocks stand still while they compute. */
export interface Timings {
  readonly tokenize: number;
  /** Next to nothing where the merged adapters were kept. */
  readonly merge: number;
  readonly encoder: number;
  readonly head: number;
}

/** A loaded bundle, ready to label texts. */
export interface Engine {
  readonly bundle: { readonly id: string; readonly manifest: Manifest };

  /** @throws XpeftError `invalid_mask` if the blob does not fit this bundle */
  checkMasks(blob: Uint8Array): void;

  /**
   * Labels texts, one prediction each, in order. A text's answer does not depend on those beside it.
   *
   * @throws XpeftError `bundle_mismatch`, `invalid_mask`, `invalid_label_bias`, `invalid_row`, `empty_text`, or
   * `bundle_unusable`
   */
  predict(
    task: Task,
    profile: ProfileParts,
    inputs: readonly TextInput[],
  ): Promise<{ predictions: Prediction[]; timings: Timings }>;

  /** Bytes of WASM linear memory that the encoder has taken. */
  heapBytes(): number;
}

/** What an engine is made from. */
export interface EngineParts {
  /** Reads the bundle's files. */
  readonly read: ReadFile;
  /** ONNX Runtime's WASM, compiled. */
  readonly wasm: WebAssembly.Module;
  /** Most bytes of merged adapters to keep; the default, 16 MiB, keeps 18 profiles of the default bundle. */
  readonly mergedCacheBytes?: number;
}

/**
 * Loads a bundle; every file is checked against its hash first.
 *
 * @throws XpeftError `invalid_manifest`, `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function createEngine({ read, wasm, mergedCacheBytes = 16 * 2 ** 20 }: EngineParts): Promise<Engine> {
  const { manifest, id } = await readManifest(read);
  for (const notice of withRole(manifest.files, "notice")) await readVerified(read, notice);
  const tokenizer = createTokenizer(await readVerified(read, oneWithRole(manifest.files, "tokenizer")));
  const encoder = await createEncoder(wasm, manifest, read);
  const pool = await loadPool(manifest, read);
  const shape = { layers: manifest.layers, size: manifest.pool.size, chosen: manifest.pool.chosen };
  const kept = new LRUCache<string, MergedAdapters>({
    maxSize: mergedCacheBytes,
    sizeCalculation: () => mergedBytes(pool),
  });

  function merge(masks: Uint8Array): MergedAdapters {
    // The masks are the key, so an entry cannot be stale.
    const key = btoa(String.fromCharCode(...masks));
    const merged = kept.get(key) ?? mergeAdapters(pool, masks);
    kept.set(key, merged);
    return merged;
  }

  return {
    bundle: { id, manifest },
    checkMasks: (blob) => void unpackMasks(blob, shape),
    async predict(task, { masks, labelBias }, inputs) {
      checkTask(task, id, manifest);
      const bias = labelBias && readLabelBias(labelBias, task.labels.length);
      const clock = startClock();
      const texts = inputs.map((input, index) => checkText(tokenizer.encode(input, task.maxTokens), index));
      const tokenize = clock();
      const merged = merge(masks);
      const timings = { tokenize, merge: clock(), encoder: 0, head: 0 };
      const predictions: Prediction[] = [];
      for (const text of texts) {
        const features = await encoder.run(text, merged);
        timings.encoder += clock();
        predictions.push(chooseLabel(task, bias, features, text));
        timings.head += clock();
      }
      return { predictions, timings };
    },
    heapBytes,
  };
}

function checkTask(task: Task, bundle: string, manifest: Manifest): void {
  if (task.bundle !== bundle) {
    throw new XpeftError(
      "bundle_mismatch",
      `Task "${task.name}" was trained on bundle ${task.bundle}, and this is bundle ${bundle}.`,
      "Push the task and its profiles as trained on this bundle, or deploy theirs.",
    );
  }
  if (task.maxTokens > manifest.maxTokens) {
    throw new XpeftError(
      "invalid_row",
      `Task "${task.name}" reads ${task.maxTokens} tokens, and the encoder takes ${manifest.maxTokens}.`,
      "The task's row is damaged: write the task again.",
    );
  }
}

function checkText(text: TokenizedText, index: number): TokenizedText {
  if (text.empty) {
    throw new XpeftError("empty_text", `Input ${index} has nothing to read in it.`, "Send a text with words in it.");
  }
  return text;
}

function chooseLabel(
  task: Task,
  bias: Float32Array | null,
  features: Float32Array,
  { ids, truncated }: TokenizedText,
): Prediction {
  const scores = scoreLabels(task.head, bias, features, task.labels.length);
  const best = bestLabel(scores);
  return { label: task.labels[best] ?? "", score: scores[best] ?? 0, scores, tokens: ids.length, truncated };
}

/** Starts a clock that tells the milliseconds since it was last asked. */
function startClock(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    return passed;
  };
}
