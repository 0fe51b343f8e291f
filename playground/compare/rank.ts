import { hasCode, messageOf } from "../shared/api.ts";
import { makeProblem } from "../shared/dom.ts";
import { countOf, type LabelledText } from "../shared/text.ts";
import { elements } from "./elements.ts";
import { labelTexts } from "./label-texts.ts";
import { readLabelledTexts } from "./labelled-texts.ts";
import { PROFILE_PROBLEMS } from "./predict.ts";
import { agreementOf, compareRanks, makeRankTable, type Rank } from "./ranking.ts";
import { chosenProfiles, chosenTask, taskLabels } from "./tasks.ts";

let running: AbortController | null = null;

/** Stops the ranking that is running, if there is one. */
export const stopRanking = (): void => running?.abort();

async function rankProfile(
  task: string,
  profile: string,
  texts: readonly LabelledText[],
  signal: AbortSignal,
): Promise<Rank> {
  const onLabelled = () => {
    elements.progressBar.value++;
  };
  try {
    const labels = await labelTexts(
      texts.map(({ text }) => text),
      { task, profile, signal, onLabelled },
    );
    return agreementOf(profile, texts, labels, taskLabels());
  } catch (error) {
    if (signal.aborted || !hasCode(error, [...PROFILE_PROBLEMS, "text_too_long", "empty_text"])) throw error;
    return { profile, problem: messageOf(error) };
  }
}

function setRunning(isRunning: boolean): void {
  elements.progressBar.hidden = !isRunning;
  elements.rank.disabled = isRunning;
  elements.stop.disabled = !isRunning;
}

/** Labels the user's texts as each chosen profile, and ranks the profiles by how often they agree with the user. */
export async function rank(): Promise<void> {
  running = new AbortController();
  const { signal } = running;
  const task = chosenTask();
  elements.ranking.replaceChildren();
  try {
    const profiles = chosenProfiles();
    const texts = readLabelledTexts(elements.labelled.value, taskLabels());
    Object.assign(elements.progressBar, { value: 0, max: profiles.length * texts.length });
    setRunning(true);
    const ranks: Rank[] = [];
    for (const profile of profiles) {
      elements.rankStatus.textContent = `Labelling as ${profile}…`;
      ranks.push(await rankProfile(task, profile, texts, signal));
      elements.ranking.replaceChildren(makeRankTable(ranks.toSorted(compareRanks)));
    }
    elements.rankStatus.textContent = `${countOf(texts.length, "text")}, ${countOf(profiles.length, "profile")}.`;
  } catch (error) {
    elements.rankStatus.replaceChildren(signal.aborted ? "Stopped." : makeProblem(messageOf(error)));
  } finally {
    setRunning(false);
  }
}
