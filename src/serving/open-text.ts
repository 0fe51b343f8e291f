import { XpeftError } from "../errors.ts";
import type { ProfileParts } from "../profiles/profile.ts";
import { readProfileHead } from "../profiles/profile-head.ts";
import { checkTask, type TaskParts } from "../profiles/task.ts";
import type { TextInput } from "../text/tokenizer.ts";
import type { LabelOptions, LabelParts } from "./label-texts.ts";
import { createFanOutBudget, reserveFanOut, reserveTokens } from "./overload.ts";
import { checkText, type Prediction, toPrediction } from "./prediction.ts";

/** A text that is read once and labelled under many profiles of its task. */
export interface TextOfMany {
  /** Tokens of the text, special tokens included. */
  readonly tokens: number;
  readonly truncated: boolean;

  /**
   * Reads the text; must be called once, before it is labelled.
   *
   * @throws XpeftError `invalid_row` or `bundle_unusable`
   */
  read(): Promise<void>;

  /**
   * Returns the prediction under a profile: the same bits as the engine's `predict`. It does not wait for anything, so
   * the caller must pause between calls.
   *
   * @throws XpeftError `invalid_mask`, `invalid_label_bias` or `invalid_row`
   */
  label(parts: ProfileParts): Prediction;

  /** Tells the budget that the work goes on. */
  touch(): void;

  /** Frees the text. */
  close(): void;
}

/** How a text is opened. */
interface OpenOptions extends Pick<LabelOptions, "truncate"> {
  /** Lines that are held until the last profile; none by default. */
  readonly top?: number | undefined;
}

/**
 * Prepares a text that is to be labelled under many profiles, and reserves what it takes until it is closed.
 *
 * @throws XpeftError `bundle_without_tail`, `bundle_mismatch`, `invalid_row`, `empty_text`, `text_too_long` or
 * `overloaded`
 */
export type OpenText = (task: TaskParts, input: TextInput, options: OpenOptions) => TextOfMany;

/** Creates what opens texts. */
export function createOpenText(parts: LabelParts): OpenText {
  const { bundle, tokenizer, reader, readAdapter, tokensInFlight } = parts;
  const held = createFanOutBudget();

  return (task, input, { truncate = true, top = 0 }) => {
    if (!reader.sharesTrunk) {
      const message = `Bundle ${bundle.id} has no tail: it reads a text once for each profile.`;
      throw new XpeftError("bundle_without_tail", message);
    }
    checkTask(task, bundle);
    const text = checkText(tokenizer.encode(input, task.maxTokens), "The text", truncate ? null : task.maxTokens);
    const tokens = text.ids.length;
    const { hidden } = bundle.manifest;
    const reservation = reserveFanOut(held, 4 * tokens * hidden, top);
    let opened: Awaited<ReturnType<typeof reader.hold>> | undefined;
    return {
      tokens,
      truncated: text.truncated,
      async read() {
        const waiting = reserveTokens(tokensInFlight, tokens);
        try {
          opened = await reader.hold(text, await readAdapter(task.adapter));
        } finally {
          waiting.close();
        }
      },
      label({ masks, labelBias }) {
        if (!opened) throw new RangeError("the text is not read");
        const profileHead = labelBias && readProfileHead(labelBias, { labels: task.labels.length, hidden });
        return toPrediction(task, profileHead, opened.features(masks), text);
      },
      touch: () => reservation.release(0),
      close() {
        opened?.release();
        opened = undefined;
        reservation.close();
      },
    };
  };
}
