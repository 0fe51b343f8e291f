import { batch } from "@preact/signals";
import type { Outcome, Profile } from "../api/answers.ts";
import { predictAll, predictByService, readRow } from "../api/predict.ts";
import { ApiError, hasCode, isCancelled, KEY_PROBLEMS } from "../api/request.ts";
import { profilePages } from "../api/rows.ts";
import { profilesOf } from "../state/examples.ts";
import { isOnDevice, predictOnDevice, stopOnDevice } from "./on-device.ts";
import { type CompareState, FIRST_PROFILES } from "./state.ts";

/**
 * Chooses the task's first profiles, if the key may list them.
 *
 * @param before the ids that these replace. If the user has chosen others meanwhile, those stay.
 */
export async function readFirstProfiles(
  task: string,
  state: CompareState,
  before: CompareState["ids"]["value"],
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const page of profilePages(task, signal, FIRST_PROFILES)) {
      if (state.ids.peek() !== before) return;
      batch(() => {
        state.cannotList.value = false;
        state.ids.value = page.map(({ profile }) => profile);
        state.rows.value = new Map(page.map((row) => [row.profile, row]));
      });
      return;
    }
  } catch (error) {
    if (isCancelled(error)) return;
    if (!hasCode(error, KEY_PROBLEMS)) state.problem.value = error;
    else {
      state.cannotList.value = true;
      if (state.ids.peek() === null) state.ids.value = profilesOf(task);
    }
  }
}

/** Reads rows as they are now. Where texts stay on this device, a service that is away is no error. */
async function readRows(task: string, ids: readonly string[], signal: AbortSignal): Promise<Map<string, Profile>> {
  const rows = await Promise.all(
    ids.map((id) =>
      readRow(task, id, { signal, optional: true }).catch((error: unknown) => {
        if (signal.aborted || error instanceof ApiError) throw error;
        return null;
      }),
    ),
  );
  return new Map(rows.flatMap((row) => (row ? [[row.profile, row]] : [])));
}

/** Tells whether a profile was written since this device has read it. */
const areOutdated = (outcomes: readonly Outcome[], rows: ReadonlyMap<string, Profile>): boolean =>
  [...rows.values()].some(({ profile, generation }) =>
    outcomes.every(
      (outcome) =>
        outcome.profile !== profile || !("prediction" in outcome) || outcome.prediction.generation !== generation,
    ),
  );

async function predictHere(task: string, ids: readonly string[], text: string, signal: AbortSignal) {
  const ask = () => predictAll(predictOnDevice, task, ids, text, signal);
  const result = await ask();
  if (!areOutdated(result.outcomes, await readRows(task, ids, signal))) return result;
  stopOnDevice("The profiles have changed.");
  return await ask();
}

/** Labels the text under the chosen profiles, and shows the answers. */
export async function predictChosen(task: string, state: CompareState, signal: AbortSignal): Promise<void> {
  const [ids, text] = [state.ids.value ?? [], state.text.value];
  state.isPending.value = true;
  try {
    const result = isOnDevice.value
      ? await predictHere(task, ids, text, signal)
      : await predictAll(predictByService, task, ids, text, signal);
    if (signal.aborted) return;
    batch(() => {
      state.outcomes.value = result.outcomes;
      state.timings.value = result.timings;
      state.problem.value = null;
    });
  } catch (error) {
    if (!signal.aborted) state.problem.value = error;
  } finally {
    if (!signal.aborted) state.isPending.value = false;
  }
}
