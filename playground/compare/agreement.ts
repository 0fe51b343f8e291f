import type { FanOutFailure, FanOutMember, Task } from "../api/answers.ts";
import { fanOut } from "../api/fan-out.ts";
import { isOnDevice } from "./on-device.ts";
import type { Agreement, CompareState } from "./state.ts";

/** Lets the browser draw and handle what the user does. */
const pause = () => new Promise((resolve) => setTimeout(resolve));

/** Labels the sentence under all profiles of the task, unless it stays on this device. Shows what they say as it arrives. */
export async function askAll(
  { task, labels }: Task,
  text: string,
  state: CompareState,
  signal: AbortSignal,
): Promise<void> {
  if (isOnDevice.peek()) return;
  // Labels that the page does not know come last: the task was written since.
  const byLabel = new Map<string, FanOutMember[]>(labels.map((label) => [label, []]));
  const failures: FanOutFailure[] = [];
  let profiles = 0;
  const show = (isPartial: boolean) => {
    const given = [...byLabel].filter(([, members]) => members.length > 0);
    const agreement: Agreement = { text, byLabel: new Map(given), failures, profiles, isPartial };
    state.agreement.value = agreement;
    state.agreementProblem.value = null;
  };
  try {
    for await (const line of fanOut({ task, text }, signal)) {
      if ("done" in line) {
        show(!line.done || line.next !== null);
        await pause();
        signal.throwIfAborted();
      } else {
        profiles++;
        if ("error" in line) failures.push(line);
        else byLabel.get(line.label)?.push(line) ?? byLabel.set(line.label, [line]);
      }
    }
  } catch (error) {
    if (!signal.aborted) state.agreementProblem.value = error;
  }
}
