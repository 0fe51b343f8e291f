import { hasCode, KEY_PROBLEMS, messageOf } from "../shared/api.ts";
import { make, makeProblem } from "../shared/dom.ts";
import { elements } from "./elements.ts";

const KEY_COMMAND = "npm run -s xpeft -- keys create --scope predict learn write";

/** Says something in the page's status, in place of an error. */
export function showStatus(text: string): void {
  elements.trouble.replaceChildren();
  elements.status.textContent = text;
}

/** Shows an error. If the key is the problem, shows how to create one too. */
export function showError(error: unknown): void {
  elements.status.textContent = "";
  const shown = makeProblem(messageOf(error));
  if (hasCode(error, KEY_PROBLEMS)) {
    shown.append(" To create a key, run this where the service runs: ", make("code", {}, KEY_COMMAND));
  }
  elements.trouble.replaceChildren(shown);
}
