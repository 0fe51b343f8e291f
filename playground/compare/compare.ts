import { showAnswers, showTimings } from "./answers.ts";
import { elements } from "./elements.ts";
import { stopOnDevice } from "./on-device.ts";
import { comparedProfiles, offerRows } from "./overlap.ts";
import { areOutdated, predictAll, readRows } from "./predict.ts";
import { chosenProfiles, showError, startComparison } from "./tasks.ts";

/** Predicts the text as each chosen profile, and shows what differs and why. */
export async function compare(): Promise<void> {
  const isLatest = startComparison();
  const compared = comparedProfiles();
  try {
    elements.trouble.replaceChildren();
    const profiles = chosenProfiles();
    elements.status.textContent = "Predicting…";
    const text = elements.text.value;
    let [{ outcomes, timings }, rows] = await Promise.all([predictAll(profiles, text), readRows(profiles)]);
    if (elements.onDevice.checked && areOutdated(outcomes, rows)) {
      stopOnDevice("The profiles have changed. Compare again.");
      ({ outcomes, timings } = await predictAll(profiles, text));
    }
    if (!isLatest()) return;
    showAnswers(outcomes, rows);
    showTimings(timings);
    await offerRows(rows, compared);
  } catch (error) {
    if (isLatest()) showError(error);
  }
}
