/**
 * How many tokens each of two texts keeps where both together may have `budget`: the Python tokenizers'
 * "longest first", which cuts the longer one down to the shorter before it cuts both alike.
 *
 * @param lengths tokens of the first and the second text, without special tokens
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
