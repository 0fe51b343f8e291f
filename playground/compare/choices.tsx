import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { linesOf, percent } from "../parts/text.ts";
import { download, isOnDevice, stopOnDevice } from "./on-device.ts";
import { readFirstProfiles } from "./predict.ts";
import type { CompareState } from "./state.ts";

/** How many profiles fit side by side. */
const MAX_PROFILES = 16;

const tooMany = signal(0);

function chooseIds(entered: string, state: CompareState): void {
  const ids = [...new Set(linesOf(entered).map((line) => line.trim()))];
  tooMany.value = ids.length > MAX_PROFILES ? ids.length : 0;
  if (ids.length <= MAX_PROFILES) state.ids.value = ids;
}

/** Which profiles the cards show, and where texts are labelled. */
export function Choices({ task, state }: { task: string; state: CompareState }) {
  const loading = download.value;
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
          value={state.ids.value?.join("\n") ?? ""}
          onChange={({ currentTarget }) => chooseIds(currentTarget.value, state)}
        />
        <p class="help" id="profiles-help">
          At most {MAX_PROFILES}.
        </p>
        {tooMany.value > 0 && (
          <p class="problem" role="alert">
            {tooMany.value} profiles are too many. Enter at most {MAX_PROFILES}.
          </p>
        )}
        <button type="button" onClick={() => readFirstProfiles(task, state, new AbortController().signal)}>
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
