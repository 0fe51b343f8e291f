import type { LabelledText, Task } from "../api/answers.ts";
import { fanOut } from "../api/fan-out.ts";

/** A profile, and how many of the user's labels it gives. */
export interface Closeness {
  readonly profile: string;
  readonly agreed: number;
}

const SHOWN = 5;

/**
 * Returns the profiles that give most of the user's labels, the closest first.
 *
 * @param own the user's profile, which has learnt the labels
 * @throws as {@link fanOut} does
 */
export async function closestProfiles(
  { task }: Task,
  own: string,
  examples: readonly LabelledText[],
  signal: AbortSignal,
  onDone: (texts: number) => void,
): Promise<Closeness[]> {
  const agreed = new Map<string, number>();
  for (const [place, { text, label }] of examples.entries()) {
    for await (const line of fanOut({ task, text }, signal)) {
      if ("label" in line && line.label === label) agreed.set(line.profile, (agreed.get(line.profile) ?? 0) + 1);
    }
    onDone(place + 1);
  }
  agreed.delete(own);
  return [...agreed]
    .map(([profile, count]) => ({ profile, agreed: count }))
    .sort((a, b) => b.agreed - a.agreed || a.profile.localeCompare(b.profile))
    .slice(0, SHOWN);
}
