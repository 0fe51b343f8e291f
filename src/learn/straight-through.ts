/** Masks drawn from logits, and the weights for their gradient. */
export interface SampledMasks {
  /** Chosen adapters' numbers, `[rows, k]` flat, rising in each row. */
  readonly adapters: Uint16Array;
  /** Softmax of the logits with their noise, `[rows, N]` flat. */
  readonly weights: Float64Array;
}

/** Sizes of masks: each chooses k of N adapters. */
export interface MaskSizes {
  readonly size: number;
  readonly chosen: number;
}

/**
 * Returns the adapters at the k largest logits of each mask; of equal logits, the lower number.
 *
 * @param logits `[rows, N]` flat
 * @returns `[rows, k]` flat, rising in each row
 */
export function topAdapters(logits: ArrayLike<number>, { size, chosen }: MaskSizes): Uint16Array {
  const rows = logits.length / size;
  const adapters = new Uint16Array(rows * chosen);
  const order = Array.from({ length: size }, (_, adapter) => adapter);
  for (let row = 0; row < rows; row++) {
    const logit = (adapter: number) => logits[row * size + adapter] ?? Number.NaN;
    const best = order.toSorted((a, b) => logit(b) - logit(a) || a - b).slice(0, chosen);
    adapters.set(Uint16Array.from(best).sort(), row * chosen);
  }
  return adapters;
}

/**
 * Draws hard masks by Gumbel top-k (X-PEFT, section 3); their gradient is the softmax's.
 *
 * @param logits `[rows, N]` flat
 * @param noise added to the logits, `[rows, N]` flat
 * @param tau the softmax's temperature
 */
export function sampleMasks(
  logits: Float64Array,
  sizes: MaskSizes,
  noise: ArrayLike<number>,
  tau: number,
): SampledMasks {
  const { size } = sizes;
  const noisy = logits.map((logit, i) => logit + (noise[i] ?? Number.NaN));
  const weights = new Float64Array(logits.length);
  for (let start = 0; start < noisy.length; start += size) {
    const row = noisy.subarray(start, start + size);
    const greatest = Math.max(...row);
    const powers = row.map((logit) => Math.exp((logit - greatest) / tau));
    const sum = powers.reduce((total, power) => total + power);
    weights.set(
      powers.map((power) => power / sum),
      start,
    );
  }
  return { adapters: topAdapters(noisy, sizes), weights };
}

/**
 * Returns the gradient of the mask logits by the straight-through estimator: as if the pool were merged with the
 * softmax's weights.
 *
 * @param projected gradient of each adapter's weight, `[rows, N]` flat: its product with the merged matrix's gradient
 * @returns `[rows, N]` flat
 */
export function logitGradient(weights: Float64Array, projected: Float64Array, size: number, tau: number): Float64Array {
  const gradient = new Float64Array(weights.length);
  for (let start = 0; start < weights.length; start += size) {
    let mean = 0;
    for (let i = start; i < start + size; i++) mean += (weights[i] ?? 0) * (projected[i] ?? Number.NaN);
    for (let i = start; i < start + size; i++) {
      gradient[i] = ((weights[i] ?? 0) * ((projected[i] ?? Number.NaN) - mean)) / tau;
    }
  }
  return gradient;
}
