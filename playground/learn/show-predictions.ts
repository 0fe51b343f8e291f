import type { Prediction } from "../shared/answers.ts";
import { messageOf } from "../shared/api.ts";
import { make, makeProblem } from "../shared/dom.ts";
import { makeScoresTable } from "../shared/scores-table.ts";
import { linesOf } from "../shared/text.ts";
import { predictBefore } from "./before.ts";
import { elements } from "./elements.ts";
import { lastLearning } from "./last-learning.ts";
import { type ProfileName, predict } from "./predict.ts";

const versionOf = ({ masks, generation }: Prediction): string =>
  masks === "default" ? "the task's default" : `generation ${generation}`;

function makeAnswer(when: "Before" | "Now", prediction: Prediction | undefined): HTMLElement {
  if (!prediction) return make("p", {}, `${when}: unknown. The earlier version can no longer be read.`);
  return makeScoresTable(`${when} (${versionOf(prediction)}): ${prediction.label}`, prediction.top ?? []);
}

/** Predicts texts as the profile was before the last learning; null if that learnt another profile. */
async function predictEarlier(name: ProfileName, texts: readonly string[]): Promise<(Prediction | undefined)[] | null> {
  const last = lastLearning();
  const isLearnt = last?.name.task === name.task && last.name.profile === name.profile;
  return last && isLearnt ? predictBefore(last.name, last.before, texts) : null;
}

/** Predicts the texts as the profile, and shows what it predicted before the last learning beside it. */
export async function showPredictions(): Promise<void> {
  const name = { task: elements.task.value, profile: elements.profile.value };
  const texts = linesOf(elements.texts.value);
  if (name.task === "" || name.profile === "" || texts.length === 0) return;
  elements.predictStatus.textContent = "Predicting…";
  try {
    const before = await predictEarlier(name, texts);
    const now = await predict(name, texts);
    const sections = texts.map((text, place) => {
      const tables = [...(before ? [makeAnswer("Before", before[place])] : []), makeAnswer("Now", now[place])];
      return make(
        "section",
        { className: "prediction" },
        make("h3", {}, text),
        make("div", { className: "pair" }, ...tables),
      );
    });
    elements.answers.replaceChildren(...sections);
    const changed = before?.filter((prediction, place) => prediction && prediction.label !== now[place]?.label).length;
    elements.predictStatus.textContent = before ? `${changed} of ${texts.length} labels changed.` : "";
  } catch (error) {
    elements.predictStatus.textContent = "";
    elements.answers.replaceChildren(makeProblem(messageOf(error)));
  }
}
