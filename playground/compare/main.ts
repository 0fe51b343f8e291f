// The page that compares profiles: what happens when the user presses or chooses something.
import { clearAudience, showAudience, stopAudience } from "./audience.ts";
import { compare } from "./compare.ts";
import { elements } from "./elements.ts";
import { MAX_TEXTS } from "./labelled-texts.ts";
import { turnPage } from "./members.ts";
import { stopOnDevice } from "./on-device.ts";
import { showLegend, showOverlap } from "./overlap.ts";
import { rank, stopRanking } from "./rank.ts";
import { enterFirstProfiles, MAX_PROFILES, showTask, showTasks } from "./tasks.ts";

const { compareForm, task, key, exampleText, text, firstProfile, secondProfile, stop, rankForm } = elements;

elements.profileLimit.textContent = String(MAX_PROFILES);
elements.textLimit.textContent = String(MAX_TEXTS);
showLegend();

task.addEventListener("change", () => {
  clearAudience();
  showTask();
});
elements.onDevice.addEventListener("change", () => stopOnDevice("The box has changed. Compare again."));
key.addEventListener("change", () => {
  stopOnDevice("The key has changed. Compare again.");
  clearAudience();
  showTasks();
});
elements.firstProfiles.addEventListener("click", enterFirstProfiles);
exampleText.addEventListener("change", () => {
  text.value = exampleText.value;
  if (text.value !== "") compareForm.requestSubmit();
});
firstProfile.addEventListener("change", showOverlap);
secondProfile.addEventListener("change", showOverlap);
compareForm.addEventListener("submit", (event) => {
  event.preventDefault();
  compare();
});
elements.audienceForm.addEventListener("submit", (event) => {
  event.preventDefault();
  showAudience();
});
elements.audienceForm.addEventListener("input", stopAudience);
elements.stopAudience.addEventListener("click", stopAudience);
elements.previousMembers.addEventListener("click", () => turnPage(-1));
elements.nextMembers.addEventListener("click", () => turnPage(1));
rankForm.addEventListener("submit", (event) => {
  event.preventDefault();
  rank();
});
stop.addEventListener("click", stopRanking);

showTasks();
