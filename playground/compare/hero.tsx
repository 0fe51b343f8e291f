import { rangeOfBytes } from "../parts/text.ts";
import { aboutTask, sentencesOf } from "../state/examples.ts";
import { go } from "../state/route.ts";
import type { CompareState } from "./state.ts";

const SHOWN_SENTENCES = 4;

/** Says what the product does, and takes the sentence. */
export function Hero({ task, state }: { task: string; state: CompareState }) {
  const { text } = state;
  const about = aboutTask(task);
  const bytes = rangeOfBytes([...state.rows.value.values()].map((row) => row.maskBytes + row.labelBiasBytes));
  return (
    <section class="hero" aria-labelledby="title">
      <h1 id="title">Every person gets their own text classifier</h1>
      <p class="lead">
        People label the same message differently. Here, each of them has a{" "}
        <dfn title="what the service stores of one person">profile</dfn>: {bytes} over one shared language model, in
        place of a model each. The answers change as you type.
      </p>
      {about !== "" && <p class="help">{about}</p>}
      <label class="field" for="text">
        Sentence
      </label>
      <textarea
        id="text"
        rows={2}
        value={text.value}
        placeholder="Type a sentence…"
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
      <div class="row">
        <div class="row chips">
          {sentencesOf(task)
            .slice(0, SHOWN_SENTENCES)
            .map((sentence) => (
              <button
                key={sentence}
                type="button"
                class="chip"
                aria-pressed={text.value === sentence}
                onClick={() => {
                  text.value = sentence;
                }}
              >
                {sentence}
              </button>
            ))}
        </div>
        <a
          class="button"
          href="/teach"
          onClick={(event) => {
            event.preventDefault();
            go("/teach");
          }}
        >
          Teach your own classifier
        </a>
      </div>
    </section>
  );
}
