import { type ReadFile, readManifest, readVerified } from "../bundle/files.ts";
import { type Manifest, oneWithRole, withRole } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import { createLearner, type Learn } from "../learn/learner.ts";
import { createBudget } from "../lib/budget.ts";
import { createEncoder } from "../model/encoder.ts";
import { bestLabel, labelLogits, notFiniteError, softmax } from "../model/head.ts";
import { createMergedCache } from "../model/merged-cache.ts";
import { heapBytes } from "../model/onnx-runtime.ts";
import { loadPool } from "../model/pool/load.ts";
import { readLabelBias } from "../profiles/label-bias.ts";
import { packMasks } from "../profiles/masks.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { checkTask, type Task } from "../profiles/task.ts";
import { createTokenizer, type TextInput, type TokenizedText } from "../text/tokenizer.ts";
import { MAX_TOKENS_IN_FLIGHT, tooManyTokensError } from "./overload.ts";

/** One text, and the profile that it is to be labelled as. */
export interface EngineInput {
  readonly parts: ProfileParts;
  readonly input: TextInput;
}

/** The answer for one text. */
export interface Prediction {
  readonly label: string;
  /** Score of the label, 0 to 1. */
  readonly score: number;
  /** Scores of all labels in the task's order; their sum is 1. */
  readonly scores: readonly number[];
  /** What the scores are the softmax of, label bias included; in the task's order. */
  readonly logits: readonly number[];
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

/** Many times as long as a text waits for its turn. */
const FORGET_WAITING_MS = 60_000;

const PROBE_TEXT = "Is everything in its place?";

/** A loaded bundle, ready to label texts. */
export interface Engine {
  readonly bundle: { readonly id: string; readonly manifest: Manifest };

  /**
   * Labels texts, one prediction each, in order. A text's answer does not depend on those beside it.
   *
   * Texts of calls made at the same time take turns, one text of each. A call that has begun is not cut off.
   *
   * @param options.truncate whether texts longer than the task reads are cut (the default) or refused
   * @param options.patient whether the call is let in where too many tokens wait already, or is refused (the default); for
   * callers who send one text after the other, of whom there are few
   * @throws XpeftError `bundle_mismatch`, `invalid_mask`, `invalid_label_bias`, `invalid_row`, `empty_text`,
   * `text_too_long`, `overloaded` or `bundle_unusable`
   */
  predict(
    task: Pick<Task, "name" | "bundle" | "labels" | "maxTokens" | "head">,
    readings: readonly EngineInput[],
    options?: { truncate?: boolean; patient?: boolean },
  ): Promise<{ predictions: Prediction[]; timings: Timings }>;

  /** Learns a profile from labelled texts: src/learn/learner.ts. */
  readonly learn: Learn;

  /**
   * Runs one text of the engine's own through all of it but a head, under masks that choose each layer's first adapters.
   *
   * @returns tokens that were read
   * @throws XpeftError `bundle_unusable` if the features are not finite numbers
   */
  probe(): Promise<{ tokens: number }>;

  /** Bytes of WASM linear memory that the encoder and the adapter pool have taken. */
  heapBytes(): number;

  /** Tokens of the calls that have begun and are not read yet. */
  waitingTokens(): number;

  /** What is kept of merged adapters now. */
  mergedCache(): { profiles: number; bytes: number; maxBytes: number };
}

/** What an engine is made from. */
export interface EngineParts {
  /** Reads the bundle's files. */
  readonly read: ReadFile;
  /** ONNX Runtime's WASM, compiled. */
  readonly wasm: WebAssembly.Module;
  /** What merges the adapter pool, src/model/pool/kernels.wasm, compiled. */
  readonly kernels: WebAssembly.Module;
  /** Most bytes of merged adapters to keep; the default, 4 MiB, keeps 9 profiles of the default bundle. */
  readonly mergedCacheBytes?: number;
}

/**
 * Loads a bundle; every file is checked against its hash first.
 *
 * @throws XpeftError `invalid_manifest`, `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function createEngine(parts: EngineParts): Promise<Engine> {
  const { read, wasm, kernels, mergedCacheBytes = 4 * 2 ** 20 } = parts;
  const { manifest, id } = await readManifest(read);
  for (const notice of withRole(manifest.files, "notice")) await readVerified(read, notice);
  const tokenizer = createTokenizer(await readVerified(read, oneWithRole(manifest.files, "tokenizer")));
  const encoder = await createEncoder(wasm, manifest, read);
  const pool = await loadPool(manifest, read, kernels);
  const shape = { layers: manifest.layers, size: manifest.pool.size, chosen: manifest.pool.chosen };
  const merged = createMergedCache(pool, mergedCacheBytes);
  const waiting = createBudget({ most: MAX_TOKENS_IN_FLIGHT, forgetAfterMs: FORGET_WAITING_MS });

  const bundle = { id, manifest };
  return {
    bundle,
    learn: createLearner({ bundle, read, wasm, tokenizer, encoder, pool, merged }),
    async predict(task, readings, { truncate = true, patient = false } = {}) {
      checkTask(task, bundle);
      const clock = startClock();
      const texts = readings.map(({ input, parts }, index) => ({
        text: checkText(
          tokenizer.encode(input, task.maxTokens),
          readings.length > 1 ? `Input ${index}` : "The text",
          truncate ? null : task.maxTokens,
        ),
        masks: parts.masks,
        // Read before the first text is, so that a damaged row costs no encoder run.
        bias: parts.labelBias && readLabelBias(parts.labelBias, task.labels.length),
      }));
      const timings = { tokenize: clock(), merge: 0, encoder: 0, head: 0 };
      const tokens = texts.reduce((sum, { text }) => sum + text.ids.length, 0);
      const share = patient ? waiting.reserve(tokens) : waiting.tryReserve(tokens);
      if (!share) throw tooManyTokensError(waiting.inUse());
      const predictions: Prediction[] = [];
      try {
        // One text at a time is queued, so that others wait for one of these and not for all.
        for (const [index, { text, masks, bias }] of texts.entries()) {
          // The encoder never waits for anything outside: without a pause no other request would even be read.
          if (index > 0) await new Promise((resolve) => setTimeout(resolve, 0));
          const features = await encoder.run(text, () => {
            // What others did meanwhile is in no step.
            clock();
            const adapters = merged.of(masks);
            timings.merge += clock();
            return adapters;
          });
          timings.encoder += clock();
          share.release(text.ids.length);
          predictions.push(chooseLabel(task, bias, features, text));
          timings.head += clock();
        }
      } finally {
        share.close();
      }
      return { predictions, timings };
    },
    async probe() {
      const first = Array.from({ length: 2 * shape.layers * shape.chosen }, (_, place) => place % shape.chosen);
      const text = tokenizer.encode({ text: PROBE_TEXT }, manifest.maxTokens);
      const features = await encoder.run(text, () => merged.of(packMasks(first, shape)));
      if (!features.every(Number.isFinite)) throw notFiniteError();
      return { tokens: text.ids.length };
    },
    heapBytes: () => heapBytes() + pool.bytes,
    waitingTokens: waiting.inUse,
    mergedCache: merged.kept,
  };
}

/** @param limit tokens that the text must not need more of, or null where it may be cut */
function checkText(text: TokenizedText, name: string, limit: number | null): TokenizedText {
  if (text.empty) {
    throw new XpeftError("empty_text", `${name} has no tokens.`, { reason: "text" });
  }
  if (limit !== null && text.truncated) {
    throw new XpeftError("text_too_long", `${name} has more than the ${limit} tokens that the task reads.`);
  }
  return text;
}

function chooseLabel(
  task: Pick<Task, "labels" | "head">,
  bias: Float32Array | null,
  features: Float32Array,
  { ids, truncated }: TokenizedText,
): Prediction {
  const logits = labelLogits(task.head, bias, features, task.labels.length);
  const scores = softmax(logits);
  const best = bestLabel(scores);
  return { label: task.labels[best] ?? "", score: scores[best] ?? 0, scores, logits, tokens: ids.length, truncated };
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
