/**
 * Returns how many tokens each of two texts keeps when both together may have `budget`. This is "longest first" of the
 * Python tokenizers: it cuts the longer text to the length of the shorter, then both alike.
 *
 * @param lengths number of tokens of each text, without special tokens
 */
export function longestFirst(lengths: readonly [number, number], budget: number): [number, number] {
  const [first, second] = lengths;
  if (first + second <= budget) return [first, second];
  const shorter = Math.min(first, second);
  const longer = shorter > budget ? shorter : Math.max(shorter, budget - shorter);
  // Where both must be cut, the odd token goes to the longer one.
  const half = Math.floor(budget / 2);
  const [fewer, more] = shorter + longer > budget ? [half, budget - half] : [shorter, longer];
  return first > second ? [more, fewer] : [fewer, more];
}
