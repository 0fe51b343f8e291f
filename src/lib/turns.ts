/** Turns at a resource that few callers can have at once. */
export interface Turns {
  /**
   * Waits for a turn. Callers get theirs in the order in which they asked.
   *
   * @param signal ends the waiting
   * @returns a function that ends the turn
   * @throws the signal's reason
   */
  take(signal: AbortSignal): Promise<() => void>;
}

/**
 * Creates turns. Unlike the work of a serial queue, a turn may wait for timers and databases: workerd continues a caller
 * who waits for another request's promise in that other request, so each caller here waits for a promise of their own.
 *
 * @param options.atOnce how many callers can have a turn at once
 * @param options.forgetAfterMs when a turn ends by itself. A platform may drop the work of a caller who disconnected,
 * and with it the code that would end the turn
 */
export function createTurns({ atOnce, forgetAfterMs }: { atOnce: number; forgetAfterMs: number }): Turns {
  const turns = new Set<{ readonly since: number }>();
  const waiting = new Set<() => void>();

  function grant(): void {
    const oldest = Date.now() - forgetAfterMs;
    for (const turn of turns) if (turn.since < oldest) turns.delete(turn);
    for (const start of waiting) {
      if (turns.size >= atOnce) return;
      waiting.delete(start);
      start();
    }
  }

  return {
    async take(signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const start = () => {
        const turn = { since: Date.now() };
        turns.add(turn);
        resolve(() => {
          turns.delete(turn);
          grant();
        });
      };
      const leave = () => {
        waiting.delete(start);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.add(start);
      grant();
      // Whoever waits looks for forgotten turns.
      const watch = setInterval(grant, forgetAfterMs);
      try {
        return await promise;
      } finally {
        clearInterval(watch);
        signal.removeEventListener("abort", leave);
      }
    },
  };
}
