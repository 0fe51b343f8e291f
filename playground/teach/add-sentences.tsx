import { useSignal } from "@preact/signals";
import type { Task } from "../api/answers.ts";
import { messageOf } from "../api/request.ts";
import { addSentences, type TeachState } from "./state.ts";

/** Takes sentences of the user's own. */
export function AddSentences({ task, state }: { task: Task; state: TeachState }) {
  const entered = useSignal("");
  const problem = useSignal("");
  return (
    <form
      class="card"
      id="add-form"
      onSubmit={(event) => {
        event.preventDefault();
        try {
          addSentences(state, entered.value, task);
          [entered.value, problem.value] = ["", ""];
        } catch (error) {
          problem.value = messageOf(error);
        }
      }}
    >
      <label class="field" for="add">
        Add your own sentences, one per line
      </label>
      <textarea
        id="add"
        rows={3}
        required
        aria-describedby="add-help"
        value={entered.value}
        onInput={({ currentTarget }) => {
          entered.value = currentTarget.value;
        }}
      />
      <p class="help" id="add-help">
        A label may follow a tab, as in a table that you paste. The service does not store sentences.
      </p>
      {problem.value !== "" && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <button type="submit">Add</button>
    </form>
  );
}
