/** An amount that is reserved from a budget. */
export interface Reservation {
  /** Releases a part, or 0 to show that the work goes on. */
  release(amount: number): void;
  /** Releases the rest. */
  close(): void;
}

/** A bounded amount of something that is reserved and released, such as tokens in flight or bytes in memory. */
export interface Budget {
  /** Returns the amount that is reserved now. */
  inUse(): number;
  /**
   * Reserves an amount if it fits, and returns null otherwise. An amount of more than half the budget is accepted while
   * half is free: otherwise it would have to wait until nothing is reserved.
   */
  tryReserve(amount: number): Reservation | null;
  /** Reserves an amount even if it does not fit. */
  reserve(amount: number): Reservation;
}

/**
 * Creates a budget, in any unit.
 *
 * @param options.limit the largest amount that can be reserved
 * @param options.forgetAfterMs how long a reservation lasts if nothing of it is released. A platform may drop the work
 * of a caller who disconnected, and with it the code that would close the reservation
 */
export function createBudget({ limit, forgetAfterMs }: { limit: number; forgetAfterMs: number }): Budget {
  const reservations = new Set<{ amount: number; since: number }>();

  function inUse(): number {
    const oldest = Date.now() - forgetAfterMs;
    let sum = 0;
    for (const reservation of reservations) {
      if (reservation.since < oldest) reservations.delete(reservation);
      else sum += reservation.amount;
    }
    return sum;
  }

  function reserve(amount: number): Reservation {
    const reservation = { amount, since: Date.now() };
    reservations.add(reservation);
    return {
      release(part) {
        reservation.amount -= part;
        reservation.since = Date.now();
      },
      close: () => reservations.delete(reservation),
    };
  }

  return {
    inUse,
    reserve,
    tryReserve: (amount) => (inUse() + Math.min(amount, limit / 2) > limit ? null : reserve(amount)),
  };
}
