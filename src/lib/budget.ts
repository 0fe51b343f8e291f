/** What somebody has taken of a room. */
export interface Reservation {
  /** Gives a part back, or nothing: the work goes on. */
  release(amount: number): void;
  /** Gives back whatever is left. */
  close(): void;
}

/** A bounded amount of something that is taken and given back: tokens that wait, bytes that are held. */
export interface Budget {
  /** What is taken now. */
  inUse(): number;
  /**
   * Takes an amount if there is room for it, else gives null. One of more than half of the room is let in where half is
   * free: it would else have to wait for a moment in which nothing is taken.
   */
  tryReserve(amount: number): Reservation | null;
  /** Takes an amount whether there is room for it or not. */
  reserve(amount: number): Reservation;
}

/**
 * Makes room for an amount, in whatever unit its user counts.
 *
 * @param options.most the most that may be taken
 * @param options.forgetAfterMs how long a share lasts of which nothing is given back. A platform may drop the work of a
 * caller who has hung up, and with it what would have ended the share: the room would be lost for good
 */
export function createBudget({ most, forgetAfterMs }: { most: number; forgetAfterMs: number }): Budget {
  const shares = new Set<{ amount: number; since: number }>();

  function inUse(): number {
    const oldest = Date.now() - forgetAfterMs;
    let sum = 0;
    for (const share of shares) {
      if (share.since < oldest) shares.delete(share);
      else sum += share.amount;
    }
    return sum;
  }

  function reserve(amount: number): Reservation {
    const share = { amount, since: Date.now() };
    shares.add(share);
    return {
      release(part) {
        share.amount -= part;
        share.since = Date.now();
      },
      close: () => shares.delete(share),
    };
  }

  return {
    inUse,
    reserve,
    tryReserve: (amount) => (inUse() + Math.min(amount, most / 2) > most ? null : reserve(amount)),
  };
}
