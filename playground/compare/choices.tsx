import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { linesOf, percent } from "../parts/text.ts";
import { download, isOnDevice, stopOnDevice } from "./on-device.ts";
import { readFirstProfiles } from "./predict.ts";
import type { CompareState } from "./state.ts";

/** How many profiles fit side by side. */
const MAX_PROFILES = 16;

/** Returns the ids of lines, each once. */
const idsOf = (entered: string): string[] => [...new Set(linesOf(entered).map((line) => line.trim()))];

/** Which profiles the cards show, and where texts are labelled. */
export function Choices({ task, state }: { task: string; state: CompareState }) {
  const loading = download.value;
  /** What the user has entered and cannot be shown yet; null if nothing. */
  const draft = useSignal<string | null>(null);
  const entered = idsOf(draft.value ?? "").length;
  const choose = useRef<HTMLDetailsElement>(null);
  const isEmpty = state.ids.value?.length === 0;
  useEffect(() => {
    if (isEmpty && choose.current) choose.current.open = true;
  }, [isEmpty]);
  return (
    <>
      <details id="choose" ref={choose}>
        <summary>Choose other profiles</summary>
        <label class="field" for="profiles">
          Profile ids, one per line
        </label>
        <textarea
          id="profiles"
          rows={4}
          spellcheck={false}
          aria-describedby="profiles-help"
          value={draft.value ?? state.ids.value?.join("\n") ?? ""}
          onInput={({ currentTarget }) => {
            draft.value = currentTarget.value;
          }}
          onChange={({ currentTarget }) => {
            const ids = idsOf(currentTarget.value);
            if (ids.length > MAX_PROFILES) return;
            draft.value = null;
            state.ids.value = ids;
          }}
        />
        <p class="help" id="profiles-help">
          At most {MAX_PROFILES}.
        </p>
        {entered > MAX_PROFILES && (
          <p class="problem" role="alert">
            {entered} profiles are too many. Enter at most {MAX_PROFILES}.
          </p>
        )}
        <button
          type="button"
          onClick={() => {
            draft.value = null;
            readFirstProfiles(task, state, state.ids.peek(), new AbortController().signal);
          }}
        >
          Show the first profiles
        </button>
      </details>
      <details id="device">
        <summary>Label on this device</summary>
        <label class="check">
          <input
            id="on-device"
            type="checkbox"
            checked={isOnDevice.value}
            aria-describedby="on-device-help"
            onChange={({ currentTarget }) => {
              stopOnDevice("The box has changed.");
              isOnDevice.value = currentTarget.checked;
            }}
          />{" "}
          Keep the sentence on this device
        </label>
        <p class="help" id="on-device-help">
          The page first loads the model, 24 MB, and reads each profile once. After that it needs no connection. The key
          needs the scopes <code>predict</code> and <code>write</code>.
        </p>
        <p id="on-device-status" role="status">
          {loading && `Loading the model: ${percent(loading.share)} of ${loading.megabytes} MB.`}
        </p>
      </details>
    </>
  );
}
