/** An amount that is reserved from a budget. */
export interface Reservation {
  /** Reserves more if it fits, and returns whether it did. A closed reservation cannot grow. */
  tryGrow(amount: number): boolean;
  /** Releases a part, or 0 to show that the work goes on. */
  release(amount: number): void;
  /** Releases the rest. */
  close(): void;
}

/** A bounded amount of something that is reserved and released, such as tokens in flight or bytes in memory. */
export interface Budget {
  /** Returns the amount that is reserved now. */
  inUse(): number;
  /** Returns the amount that a caller has reserved, and the most that the caller could have now. */
  shareOf(caller: string): { inUse: number; limit: number };
  /**
   * Reserves an amount if it fits into the caller's share, and returns null otherwise. An amount of more than half the
   * budget counts as half: otherwise it would have to wait until nothing is reserved.
   */
  tryReserve(amount: number, caller?: string): Reservation | null;
  /** Reserves an amount even if it does not fit. */
  reserve(amount: number): Reservation;
}

/** A caller for budgets that all callers share alike. */
const ANYONE = "";

/**
 * Creates a budget, in any unit.
 *
 * @param options.limit the largest amount that can be reserved
 * @param options.share the largest part that one caller can reserve of what the other callers leave. Below 1, something
 * always remains for another caller
 * @param options.forgetAfterMs how long a reservation lasts if nothing of it changes. A platform may drop the work of a
 * caller who disconnected, and with it the code that would close the reservation
 */
export function createBudget(options: { limit: number; share?: number; forgetAfterMs: number }): Budget {
  const { limit, share = 1, forgetAfterMs } = options;
  const reservations = new Set<{ caller: string; amount: number; since: number }>();

  function sum(counts: (reservation: { caller: string }) => boolean): number {
    const oldest = Date.now() - forgetAfterMs;
    let total = 0;
    for (const reservation of reservations) {
      if (reservation.since < oldest) reservations.delete(reservation);
      else if (counts(reservation)) total += reservation.amount;
    }
    return total;
  }

  function shareOf(caller: string): { inUse: number; limit: number } {
    const inUse = sum((one) => one.caller === caller);
    return { inUse, limit: Math.max(0, share * (limit - (sum(() => true) - inUse))) };
  }

  /** @param existing what the amount replaces of the caller's reservations */
  function fits(amount: number, caller: string, existing = 0): boolean {
    const own = shareOf(caller);
    return own.inUse - existing + Math.min(amount, limit / 2) <= own.limit;
  }

  function reserve(amount: number, caller = ANYONE): Reservation {
    const reservation = { caller, amount, since: Date.now() };
    reservations.add(reservation);
    let isClosed = false;
    return {
      tryGrow(more) {
        const existing = sum((one) => one === reservation);
        if (isClosed || !fits(reservation.amount + more, caller, existing)) return false;
        reservation.amount += more;
        reservation.since = Date.now();
        // It may have been forgotten.
        reservations.add(reservation);
        return true;
      },
      release(part) {
        reservation.amount -= part;
        reservation.since = Date.now();
      },
      close() {
        isClosed = true;
        reservations.delete(reservation);
      },
    };
  }

  return {
    inUse: () => sum(() => true),
    shareOf,
    reserve: (amount) => reserve(amount),
    tryReserve: (amount, caller = ANYONE) => (fits(amount, caller) ? reserve(amount, caller) : null),
  };
}
