import { type ReadFile, readManifest, readVerified } from "../bundle/files.ts";
import { type Bundle, oneWithRole, withRole } from "../bundle/manifest.ts";
import { createTaskLearner, type LearnTask } from "../learn/learn-task.ts";
import { createLearner, type Learn } from "../learn/learner.ts";
import { createLearnSlot } from "../learn/slot.ts";
import { createAdapterReader } from "../model/adapter-reader.ts";
import { notFiniteError } from "../model/head.ts";
import { loadPool } from "../model/pool/load.ts";
import { createReader, type Reader } from "../model/reader.ts";
import { loadTextParts, type Modules } from "../model/text-parts.ts";
import type { EngineName } from "../model/trunk.ts";
import { maskShapeOf, packMasks } from "../profiles/masks.ts";
import { createTokenizer } from "../text/tokenizer.ts";
import { createLabelTexts, type LabelTexts } from "./label-texts.ts";
import { createOpenText, type OpenText } from "./open-text.ts";
import { createTokenBudget } from "./overload.ts";

/** A text that checks whether texts can be read. */
export const PROBE_TEXT = "Is everything in its place?";

/** A loaded bundle, ready to label texts. */
export interface Engine {
  readonly bundle: Bundle;

  /** What computes the encoder. */
  readonly name: EngineName;

  /**
   * Labels texts, one prediction each, in order. A text's answer does not depend on the other texts.
   *
   * The texts of concurrent calls take turns, one text of each call. A call that has begun is not interrupted.
   *
   * @throws XpeftError `bundle_mismatch`, `invalid_mask`, `invalid_label_bias`, `invalid_row`, `empty_text`,
   * `text_too_long`, `overloaded` or `bundle_unusable`
   */
  readonly predict: LabelTexts;

  /** Prepares a text that is read once and labelled under many profiles: src/serving/open-text.ts. */
  readonly openText: OpenText;

  /** Learns a profile from labelled texts: src/learn/learner.ts. */
  readonly learn: Learn;

  /** Learns a new task from labelled texts: src/learn/learn-task.ts. */
  readonly learnTask: LearnTask;

  /**
   * Runs a fixed text through everything but a head, under masks that choose each layer's first adapters.
   *
   * @returns tokens that were read
   * @throws XpeftError `bundle_unusable` if the features are not finite numbers
   */
  probe(): Promise<{ tokens: number }>;

  /** Returns the bytes of WASM memory that the encoder, the bundle's pool and the tail use. */
  heapBytes(): number;

  /** Returns the tokens of accepted texts that the encoder has not read yet. */
  waitingTokens(): number;

  /** Returns the sizes and lookups of the caches of merged adapters and of residuals. */
  readonly caches: Reader["caches"];
}

/** What an engine is created from. */
export interface EngineParts extends Modules {
  /** Reads the bundle's files. */
  readonly read: ReadFile;
  /** The most bytes of merged adapters to cache. The default, 4 MiB, caches 85 profiles of the default bundle. */
  readonly mergedCacheBytes?: number;
  /** The most bytes of residuals to cache. The default, 4 MiB, caches 85 texts of 32 tokens of the default bundle. */
  readonly trunkCacheBytes?: number;
}

/**
 * Loads a bundle. Every file that is used is checked against its hash first.
 *
 * @throws XpeftError `invalid_manifest`, `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function createEngine(parts: EngineParts): Promise<Engine> {
  const { read, mergedCacheBytes = 4 * 2 ** 20, trunkCacheBytes = 4 * 2 ** 20, ...modules } = parts;
  const bundle = await readManifest(read);
  const { manifest } = bundle;
  for (const notice of withRole(manifest.files, "notice")) await readVerified(read, notice);
  const tokenizer = createTokenizer(await readVerified(read, oneWithRole(manifest.files, "tokenizer")));
  const textParts = await loadTextParts(manifest, read, modules);
  const pool = await loadPool(manifest, read, modules.kernels);
  const shape = maskShapeOf(manifest);
  const { engine: name, bytes: trunkMemory } = textParts.tail ? textParts.trunk : textParts.encoder;
  const reader = createReader({ parts: textParts, pool, mergedBytes: mergedCacheBytes, trunkBytes: trunkCacheBytes });
  const readAdapter = createAdapterReader(manifest);
  const slot = createLearnSlot();
  const tokensInFlight = createTokenBudget();
  const labelParts = { bundle, tokenizer, reader, readAdapter, tokensInFlight };

  return {
    bundle,
    name,
    predict: createLabelTexts(labelParts),
    openText: createOpenText(labelParts),
    learn: createLearner({ bundle, read, modules, tokenizer, reader, pool, readAdapter, slot }),
    learnTask: createTaskLearner({ bundle, tokenizer, reader, slot }),
    async probe() {
      const first = Array.from({ length: 2 * shape.layers * shape.chosen }, (_, index) => index % shape.chosen);
      const text = tokenizer.encode({ text: PROBE_TEXT }, manifest.maxTokens);
      const features = await reader.features(text, { masks: packMasks(first, shape), taskAdapter: null });
      if (!features.every(Number.isFinite)) throw notFiniteError();
      return { tokens: text.ids.length };
    },
    heapBytes: () => (modules.onnx?.heapBytes() ?? 0) + trunkMemory + pool.bytes + (textParts.tail?.bytes ?? 0),
    waitingTokens: tokensInFlight.inUse,
    caches: reader.caches,
  };
}
