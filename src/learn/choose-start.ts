import { XpeftError } from "../errors.ts";
import { isBetter, mean } from "./cross-validation.ts";
import { leaveOneOutLosses, type ScoredText } from "./fit-label-bias.ts";
import type { WorkTracker } from "./progress.ts";
import { type LabelledText, type Start, scoreTexts, type TextReader } from "./reader.ts";
import { RECIPE } from "./recipe.ts";

/**
 * How many texts known profiles are tried on as starts in each round, and how many of them: after each the worse half is out
 * (successive halving: Jamieson & Talwalkar, 2016). The default is tried on all.
 */
export function halvingRounds(known: number, texts: number): { texts: number; known: number }[] {
  const rounds = [];
  let [read, left] = [0, known];
  while (left > 0 && read < texts) {
    const more = Math.min(Math.max(RECIPE.firstRound, read), texts - read);
    rounds.push({ texts: more, known: left });
    read += more;
    left = Math.ceil(left / 2);
  }
  return rounds;
}

/** A start on trial. */
interface Tried {
  readonly start: Start;
  readonly answers: ScoredText[];
  /** Of each text so far, under a label bias that the others make likeliest. */
  losses: number[];
}

/** The error of a start's row, which is not the profile's that is learnt. */
function named({ profile }: Start, error: unknown): unknown {
  const isRows = error instanceof XpeftError && (error.code === "invalid_mask" || error.code === "invalid_label_bias");
  if (!isRows || profile === null) return error;
  return new XpeftError(error.code, `Profile ${JSON.stringify(profile)} cannot be tried as a start. ${error.message}`, {
    reason: "start",
  });
}

/**
 * The first start, unless the best of the others explains the texts better by so much that it is no more likely chance. Of many the best
 * by chance looks good on few texts.
 *
 * @param starts at least one
 * @throws XpeftError `invalid_mask`, `invalid_label_bias`, `invalid_row` or `bundle_unusable`
 */
export async function chooseStart(
  reader: TextReader,
  starts: readonly [Start, ...Start[]],
  texts: readonly LabelledText[],
  work: WorkTracker,
): Promise<Start> {
  const labels = reader.task.labels.length;
  const [first, ...known] = starts;
  const tried = (start: Start): Tried => ({ start, answers: [], losses: [] });
  const standard = tried(first);
  let left = known.map(tried);
  let read = 0;
  for (const round of halvingRounds(known.length, texts.length)) {
    left = left.slice(0, round.known);
    for (const one of [standard, ...left]) {
      const next = texts.slice(read, read + round.texts);
      const answers = scoreTexts(reader, one.start.parts, next, work);
      one.answers.push(...(await answers.catch((error: unknown) => Promise.reject(named(one.start, error)))));
      one.losses = leaveOneOutLosses(one.answers, labels, RECIPE.biasSpread);
    }
    read += round.texts;
    left.sort((a, b) => mean(a.losses) - mean(b.losses));
  }
  const [best] = left;
  return best && isBetter(best.losses, standard.losses, RECIPE.startLead) ? best.start : first;
}
