const BETA_MEAN = 0.9;
const BETA_SQUARE = 0.999;
const EPSILON = 1e-8;

/** Adam's state for trained numbers. */
export interface Adam {
  /**
   * Moves the numbers against their gradient.
   *
   * @param numbers are overwritten
   * @param gradient of the same length
   * @param rate roughly the most that a number moves
   */
  step(numbers: Float64Array, gradient: ArrayLike<number>, rate: number): void;
}

/**
 * Creates Adam (Kingma & Ba, arXiv 1412.6980). It is AdamW (arXiv 1711.05101) without weight decay: mask logits have no
 * value to decay to.
 *
 * @param length the number of trained numbers
 */
export function createAdam(length: number): Adam {
  const means = new Float64Array(length);
  const squares = new Float64Array(length);
  let steps = 0;
  return {
    step(numbers, gradient, rate) {
      steps++;
      const meanScale = 1 / (1 - BETA_MEAN ** steps);
      const squareScale = 1 / (1 - BETA_SQUARE ** steps);
      for (let i = 0; i < length; i++) {
        const slope = gradient[i] ?? Number.NaN;
        const mean = BETA_MEAN * (means[i] ?? 0) + (1 - BETA_MEAN) * slope;
        const square = BETA_SQUARE * (squares[i] ?? 0) + (1 - BETA_SQUARE) * slope * slope;
        means[i] = mean;
        squares[i] = square;
        numbers[i] =
          (numbers[i] ?? Number.NaN) - (rate * mean * meanScale) / (Math.sqrt(square * squareScale) + EPSILON);
      }
    },
  };
}

/**
 * Returns the factor of a step's learning rate: a linear rise, then a linear fall to 0.
 *
 * @param progress fraction of the steps that are done after this one, above 0 and below 1
 * @param warmup fraction of the steps in which the factor rises
 */
export function rateFactor(progress: number, warmup: number): number {
  return progress < warmup ? progress / warmup : Math.max(0, (1 - progress) / (1 - warmup));
}
