import { useRef } from "preact/hooks";
import { apiKey, localKey, setKey } from "../api/session.ts";
import { CREATE_KEY } from "../parts/create-key.ts";

/** Takes an API key. The tab keeps it until it is closed. */
export function KeyForm({ onDone }: { onDone?: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const use = (key: string) => {
    setKey(key);
    onDone?.();
    // The form may be gone, and the focus with it.
    document.getElementById("main")?.focus();
  };
  return (
    <form
      id="key-form"
      class="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        use(input.current?.value ?? "");
      }}
    >
      <label for="key">API key</label>
      <div class="row">
        <input
          id="key"
          ref={input}
          type="password"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="key-help"
          defaultValue={apiKey.value === localKey ? "" : apiKey.value}
        />
        <button type="submit">Use this key</button>
        {apiKey.value !== "" && (
          <button type="button" class="quiet" onClick={() => use("")}>
            Forget it
          </button>
        )}
      </div>
      <p class="help" id="key-help">
        This tab keeps the key until you close it. To create a key, run this where the service runs:{" "}
        <code>{CREATE_KEY}</code>
      </p>
    </form>
  );
}
