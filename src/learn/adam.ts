const BETA_MEAN = 0.9;
const BETA_SQUARE = 0.999;
const EPSILON = 1e-8;

/** Adam's memory of some numbers that are learnt. */
export interface Adam {
  /**
   * Moves the numbers against their gradient.
   *
   * @param numbers are written over
   * @param gradient as long
   * @param rate how far, at most about, each number goes
   */
  step(numbers: Float64Array, gradient: ArrayLike<number>, rate: number): void;
}

/**
 * Adam (Kingma & Ba, arXiv 1412.6980), which is AdamW (arXiv 1711.05101) where no weight decays: mask logits have no place that they
 * should go back to.
 *
 * @param length how many numbers are learnt
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
 * What a step's learning rate is multiplied by: a linear rise, then a linear fall to 0.
 *
 * @param progress share of the steps that are done with this one, above 0 and below 1
 * @param warmup share of the steps in which it rises
 */
export function rateFactor(progress: number, warmup: number): number {
  return progress < warmup ? progress / warmup : Math.max(0, (1 - progress) / (1 - warmup));
}
