import { RECIPE } from "./recipe.ts";

/** One round: how many more texts are read, and under how many known profiles. */
export interface HalvingRound {
  readonly texts: number;
  readonly known: number;
}

/**
 * Returns the rounds in which known profiles are tried as starts. Each round drops the worse half (successive halving:
 * Jamieson & Talwalkar, 2016). The task's default is tried in every round.
 *
 * @param known number of known profiles
 * @param texts number of texts to try them on
 */
export function halvingRounds(known: number, texts: number): HalvingRound[] {
  const rounds: HalvingRound[] = [];
  let [textsRead, remaining] = [0, known];
  while (remaining > 0 && textsRead < texts) {
    const next = Math.min(Math.max(RECIPE.firstRoundTexts, textsRead), texts - textsRead);
    rounds.push({ texts: next, known: remaining });
    textsRead += next;
    remaining = Math.ceil(remaining / 2);
  }
  return rounds;
}
