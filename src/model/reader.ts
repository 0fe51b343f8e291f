import { LRUCache } from "lru-cache";
import { freeNumbers } from "../lib/floats.ts";
import type { Lookups } from "../lib/lookups.ts";
import { textKey } from "../text/text-key.ts";
import type { IdentifiedAdapter } from "./adapter-reader.ts";
import { mergedBytes } from "./merge.ts";
import { createMergedCache } from "./merged-cache.ts";
import type { AdapterPool } from "./pool/pool.ts";
import type { TextParts } from "./text-parts.ts";
import type { ReadText } from "./trunk.ts";

/** What a caller learns of a reading: each function is called when this kind of work ends. */
export interface Laps {
  /** Other texts' turns. */
  waited(): void;
  /** Merging adapters: next to nothing if they were cached. */
  merged(): void;
  /** The encoder, or a part of it. */
  read(): void;
}

/** The task's adapter, and a profile's masks; empty if it has none. */
export interface Under {
  readonly masks: Uint8Array;
  readonly taskAdapter: IdentifiedAdapter | null;
}

/** A text that was read once and labels under any number of profiles of its task. */
export interface HeldText {
  /**
   * Returns the pooled features of the text under a profile's masks, `[d]`: the same bits as {@link Reader.features}.
   *
   * @throws XpeftError `invalid_mask` if the masks do not fit the pool
   */
  features(masks: Uint8Array): Float32Array;
  /** Frees the text. Nothing may be read of it afterwards. */
  release(): void;
}

/**
 * Reads texts under profiles. Where only the last layer is personal, a text's trunk, all that comes before, is read
 * once for all profiles of a task, and each profile costs a tail.
 */
export interface Reader {
  /** Whether one reading of a text serves all profiles of a task. */
  readonly sharesTrunk: boolean;

  /**
   * Returns the pooled features of a text, `[d]`.
   *
   * @throws XpeftError `invalid_mask` if the masks do not fit the pool; `bundle_unusable` if ONNX Runtime fails
   */
  features(text: ReadText, under: Under, laps?: Laps): Promise<Float32Array>;

  /**
   * Reads a text, or takes it from the cache, and holds it outside of the cache until it is released: other texts
   * cannot push it out, and its profiles push nothing out.
   *
   * @throws RangeError if a reading does not serve all profiles; XpeftError as {@link features}
   */
  hold(text: ReadText, taskAdapter: IdentifiedAdapter | null): Promise<HeldText>;

  /**
   * Returns the residual from which learning continues, `[T, d]` flat, and the features. The residual belongs to the
   * caller: it is in no cache, where many examples would push out the texts of predictions.
   *
   * @throws XpeftError as {@link features}
   */
  readToLearn(text: ReadText, under: Under): Promise<{ features: Float32Array; residual: Float32Array }>;

  /**
   * Returns the pooled features of a text whose residual is known, `[d]`. They depend on the residual alone where a
   * reading serves all profiles, and otherwise are read anew.
   *
   * @throws XpeftError as {@link features}
   */
  featuresFrom(residual: Float32Array, text: ReadText, under: Under): Promise<Float32Array>;

  /** Returns the sizes and lookups of the caches of merged adapters and of residuals. */
  caches(): { merged: CacheSize & { readonly profiles: number }; trunks: CacheSize & { readonly texts: number } };
}

interface CacheSize extends Lookups {
  readonly bytes: number;
  readonly maxBytes: number;
}

/** What a reader is created from. */
interface ReaderParts {
  readonly parts: TextParts;
  /** The bundle's. */
  readonly pool: AdapterPool;
  /** The most bytes of merged adapters to cache. */
  readonly mergedBytes: number;
  /** The most bytes of residuals to cache. */
  readonly trunkBytes: number;
}

const NO_MASKS = new Uint8Array();
/** Ends the turn of a text that was read while it waited. */
const KNOWN = new Error("The text was read meanwhile.");
const NO_LAPS: Laps = { waited() {}, merged() {}, read() {} };

/** Tasks whose adapters of the trunk are cached. */
const TRUNK_TASKS = 2;

/** Creates a reader with empty caches. */
export function createReader({ parts, pool, mergedBytes: maxBytes, trunkBytes }: ReaderParts): Reader {
  const merged = createMergedCache(pool, maxBytes, parts.tail ? pool.layers - 1 : 0);
  const trunks = new LRUCache<string, Float32Array>({
    // The library knows no size of 0. No residual has one byte.
    maxSize: Math.max(1, trunkBytes),
    sizeCalculation: (residual) => residual.byteLength,
    // Otherwise an isolate fills with dropped residuals before garbage collection.
    dispose: freeNumbers,
  });
  const lookups = { hits: 0, misses: 0 };
  const caches: Reader["caches"] = () => ({
    merged: merged.size(),
    trunks: { texts: trunks.size, bytes: trunks.calculatedSize, maxBytes: trunkBytes, ...lookups },
  });

  if (!parts.tail) {
    const { encoder } = parts;
    const features: Reader["features"] = async (text, { masks, taskAdapter }, laps = NO_LAPS) => {
      const read = await encoder.run(text, () => {
        laps.waited();
        const adapters = merged.adaptersFor(masks, taskAdapter);
        laps.merged();
        return adapters;
      });
      laps.read();
      return read;
    };
    return {
      sharesTrunk: false,
      features,
      hold: () => Promise.reject(new RangeError("the bundle has no tail")),
      readToLearn: (text, { masks, taskAdapter }) =>
        encoder.runToBoth(text, () => merged.adaptersFor(masks, taskAdapter)),
      featuresFrom: (_residual, text, under) => features(text, under),
      caches,
    };
  }

  const { trunk, tail } = parts;
  const ofTasks = createMergedCache(pool, TRUNK_TASKS * mergedBytes(pool));
  // Has one profile at a time: held texts are labelled under more profiles than any cache has place for.
  const ofHeld = createMergedCache(pool, 0, pool.layers - 1);
  const featuresOf = (
    residual: Float32Array,
    { masks, taskAdapter }: Under,
    laps: Laps,
    { cache = merged, isAgain = false } = {},
  ) => {
    const adapters = cache.adaptersFor(masks, taskAdapter, isAgain);
    laps.merged();
    const features = tail.run(residual, adapters);
    laps.read();
    return features;
  };
  /** Returns what a text's turn does. @param known whether the text was read while it waited: its turn then ends */
  const turnOf =
    ({ taskAdapter }: Under, laps: Laps, known: () => boolean) =>
    () => {
      laps.waited();
      if (known()) throw KNOWN;
      const adapters = ofTasks.adaptersFor(NO_MASKS, taskAdapter);
      laps.merged();
      return adapters;
    };
  /**
   * Reads a text or takes its residual from the cache.
   *
   * @param use may read the residual until it returns; it learns whether the masks were merged before the text was read
   */
  async function withResidual<T>(
    text: ReadText,
    under: Under,
    laps: Laps,
    use: (residual: Float32Array, isAgain: boolean) => T,
  ) {
    const key = `${under.taskAdapter?.id ?? ""} ${textKey(text)}`;
    for (let isAgain = false; ; isAgain = true) {
      const known = trunks.get(key);
      if (!isAgain) lookups[known ? "hits" : "misses"]++;
      if (known) return use(known, isAgain);
      // Masks that do not fit cost no run of the encoder.
      merged.adaptersFor(under.masks, under.taskAdapter, isAgain);
      laps.merged();
      const turn = turnOf(under, laps, () => trunks.has(key));
      const reading = trunk.runToResidual(text, turn);
      const residual = await reading.catch((error: unknown) => (error === KNOWN ? null : Promise.reject(error)));
      if (residual === null) continue;
      laps.read();
      const result = use(residual, true);
      // From here on the cache may free it at any time.
      if (residual.byteLength <= trunkBytes) trunks.set(key, residual);
      else freeNumbers(residual);
      return result;
    }
  }
  return {
    sharesTrunk: true,
    features: (text, under, laps = NO_LAPS) =>
      withResidual(text, under, laps, (residual, isAgain) => featuresOf(residual, under, laps, { isAgain })),
    async hold(text, taskAdapter) {
      const unmasked = { masks: NO_MASKS, taskAdapter };
      const residual = await withResidual(text, unmasked, NO_LAPS, (shared) => shared.slice());
      // Profiles with a label bias alone all have these.
      let ofUnmasked: Float32Array | undefined;
      return {
        features(masks) {
          if (masks.length > 0) return featuresOf(residual, { masks, taskAdapter }, NO_LAPS, { cache: ofHeld });
          ofUnmasked ??= featuresOf(residual, unmasked, NO_LAPS, { cache: ofHeld });
          return ofUnmasked;
        },
        release: () => freeNumbers(residual),
      };
    },
    async readToLearn(text, under) {
      const neverKnown = () => false;
      const residual = await trunk.runToResidual(text, turnOf(under, NO_LAPS, neverKnown));
      return { residual, features: featuresOf(residual, under, NO_LAPS) };
    },
    featuresFrom: async (residual, _text, under) => featuresOf(residual, under, NO_LAPS),
    caches,
  };
}
