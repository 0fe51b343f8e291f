import { go } from "../state/route.ts";
import type { CompareState } from "./state.ts";

const SHOWN_SENTENCES = 4;

/** Says what the product does, and takes the sentence. */
export function Hero({ state, sentences }: { state: CompareState; sentences: readonly string[] }) {
  const { text } = state;
  return (
    <section class="hero" aria-labelledby="title">
      <h1 id="title">Every person gets their own text classifier</h1>
      <p class="lead">
        Each card below is one <dfn title="what the service stores of one person">profile</dfn>: a few bytes over a
        language model that all share. Type a sentence, and see who labels it differently.
      </p>
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
          {sentences.slice(0, SHOWN_SENTENCES).map((sentence) => (
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
