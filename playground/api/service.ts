import { computed, signal } from "@preact/signals";

/** What keeps a request waiting: the service is slow, cannot be reached, or has answered with an error. */
export type Delay = { readonly kind: "slow" | "away" } | { readonly kind: "failing"; readonly detail: string };

const SLOW_AFTER_MS = 800;

const waiting = signal<ReadonlyMap<symbol, Delay>>(new Map());

/** The delay of the request that waits longest; null if none waits. */
export const serviceDelay = computed<Delay | null>(() => waiting.value.values().next().value ?? null);

/** A request that is under way. */
export interface Watch {
  /** Says why the request is sent again. */
  retry(delay: Delay): void;
  /** Ends the watch: the answer is there, or nobody waits for it. */
  end(): void;
}

/** Watches a request: if it takes long, {@link serviceDelay} says so. */
export function watchRequest(): Watch {
  const id = Symbol();
  const set = (delay: Delay) => {
    waiting.value = new Map([...waiting.value]).set(id, delay);
  };
  const timer = setTimeout(set, SLOW_AFTER_MS, { kind: "slow" });
  return {
    retry(delay) {
      clearTimeout(timer);
      set(delay);
    },
    end() {
      clearTimeout(timer);
      const rest = new Map([...waiting.value]);
      if (rest.delete(id)) waiting.value = rest;
    },
  };
}
