import type { Fold } from "./cross-validation.ts";
import type { Random } from "./random.ts";

/** Most folds of a cross-validation. */
export const FOLDS = 5;

/**
 * Returns the folds of a stratified cross-validation: each text is held out once, and each label's texts are spread
 * over the folds as evenly as they can be.
 *
 * @param labels each text's label
 */
export function stratifiedFolds(labels: readonly number[], random: Random): Fold[] {
  const groups = Map.groupBy(random.shuffled([...labels.keys()]), (text) => labels[text]);
  // Label by label, as cards are dealt.
  const dealt = [...groups.values()].flat();
  const count = Math.min(FOLDS, dealt.length);
  return Array.from({ length: count }, (_, fold) => ({
    train: dealt.filter((_text, position) => position % count !== fold),
    heldOut: dealt.filter((_text, position) => position % count === fold),
  }));
}
