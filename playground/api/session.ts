import { signal } from "@preact/signals";

const STORED = "xpeft-key";

/** The key that the Worker of `npm start` gives to its own page; empty elsewhere. */
export const localKey = document.querySelector<HTMLMetaElement>('meta[name="local-key"]')?.content ?? "";

/** The API key of all requests; empty if there is none. A tab keeps what the user has entered until it is closed. */
export const apiKey = signal(sessionStorage.getItem(STORED) ?? localKey);

/** Uses another key. An empty one returns to the page's own, if it has one. */
export function setKey(key: string): void {
  const trimmed = key.trim();
  if (trimmed === "") sessionStorage.removeItem(STORED);
  else sessionStorage.setItem(STORED, trimmed);
  apiKey.value = trimmed || localKey;
}
