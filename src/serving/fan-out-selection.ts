import { XpeftError } from "../errors.ts";
import { findLabel } from "../profiles/labels.ts";
import { unknownLabelError } from "../profiles/not-found.ts";
import type { ScoredLabel } from "./answer.ts";
import type { Prediction } from "./prediction.ts";

/** Which profiles of a fan-out get a line. By default all. */
export interface FanOutFilter {
  /** Lines have this label's score. Without `minScore` and `top`, only profiles that give this label get a line. */
  readonly label?: string | undefined;
  /** The least score: of the label, or of the profile's best label. */
  readonly minScore?: number | undefined;
  /** Only that many profiles, those with the label's best scores. */
  readonly top?: number | undefined;
}

/** What a profile says of the text. */
export interface FanOutMatch extends ScoredLabel {
  readonly profile: string;
  readonly generation: number;
}

/** The line of a profile. */
export type FanOutLine = FanOutMatch | { readonly profile: string; readonly error: XpeftError };

/** Counts profiles and chooses those that get a line. */
export interface Selection {
  /** Counts a profile. @returns its line, if it gets one now */
  add(profile: string, answer: (Prediction & { readonly generation: number }) | XpeftError): FanOutLine | null;
  /** Returns the lines that only the end of all profiles decides: with `top`, best first; equal scores by id. */
  best(): readonly FanOutMatch[];
  counts(): { profiles: number; matched: number; failed: number; labels: Record<string, number> };
}

/** Creates an empty selection. @throws XpeftError `unknown_label` */
export function createSelection(labels: readonly string[], { label, minScore, top }: FanOutFilter): Selection {
  const wanted = label === undefined ? -1 : findLabel(label, labels);
  if (label !== undefined && wanted < 0) throw unknownLabelError(label, labels);
  const counted = new Map(labels.map((one) => [one, 0]));
  let [matched, failed, labelled] = [0, 0, 0];
  const best: FanOutMatch[] = [];

  function matchOf(profile: string, { generation, ...prediction }: Prediction & { generation: number }) {
    const given = wanted < 0 ? prediction.label : (labels[wanted] ?? "");
    const score = prediction.scores[prediction.labels.indexOf(given)];
    // The profile does not know the label.
    if (score === undefined) return null;
    const isGiven = given === prediction.label || top !== undefined;
    if (minScore === undefined ? !isGiven : score < minScore) return null;
    return { profile, label: given, score, generation };
  }

  /** Keeps the best matches in order. */
  function keep(match: FanOutMatch, most: number): void {
    let place = best.length;
    while (place > 0 && isBetter(match, best[place - 1])) place--;
    if (place >= most) return;
    best.splice(place, 0, match);
    if (best.length > most) best.pop();
  }

  return {
    add(profile, answer) {
      if (answer instanceof XpeftError) {
        failed++;
        return { profile, error: answer };
      }
      labelled++;
      counted.set(answer.label, (counted.get(answer.label) ?? 0) + 1);
      const match = matchOf(profile, answer);
      if (match && top !== undefined) keep(match, top);
      else if (match) matched++;
      return top === undefined ? match : null;
    },
    best: () => best,
    counts: () => ({
      profiles: labelled + failed,
      matched: matched + best.length,
      failed,
      labels: Object.fromEntries(counted),
    }),
  };
}

function isBetter(match: FanOutMatch, other: FanOutMatch | undefined): boolean {
  if (other === undefined) return true;
  return match.score === other.score ? match.profile < other.profile : match.score > other.score;
}
