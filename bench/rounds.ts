/**
 * Yields every item once a round, in reverse order every second round. Candidates that are measured this way suffer alike
 * from a disturbance of the machine, and none always follows the same other one.
 */
export function* inRounds<Item>(
  items: readonly Item[],
  rounds: number,
): Generator<{ readonly round: number; readonly index: number; readonly item: Item }, void> {
  const entries = [...items.entries()];
  for (let round = 0; round < rounds; round++) {
    for (const [index, item] of round % 2 === 0 ? entries : entries.toReversed()) yield { round, index, item };
  }
}
