/** What somebody has taken of a room. */
export interface Share {
  /** Gives a part back, or nothing: the work goes on. */
  give(amount: number): void;
  /** Gives back whatever is left. */
  end(): void;
}

/** A bounded amount of something that is taken and given back: tokens that wait, bytes that are held. */
export interface Room {
  /** What is taken now. */
  taken(): number;
  /**
   * Takes an amount if there is room for it, else gives null. One of more than half of the room is let in where half is
   * free: it would else have to wait for a moment in which nothing is taken.
   */
  tryTake(amount: number): Share | null;
  /** Takes an amount whether there is room for it or not. */
  take(amount: number): Share;
}

/**
 * Makes room for an amount, in whatever unit its user counts.
 *
 * @param options.most the most that may be taken
 * @param options.forgetAfterMs how long a share lasts of which nothing is given back. A platform may drop the work of a
 * caller who has hung up, and with it what would have ended the share: the room would be lost for good
 */
export function createRoom({ most, forgetAfterMs }: { most: number; forgetAfterMs: number }): Room {
  const shares = new Set<{ amount: number; since: number }>();

  function taken(): number {
    const oldest = Date.now() - forgetAfterMs;
    let sum = 0;
    for (const share of shares) {
      if (share.since < oldest) shares.delete(share);
      else sum += share.amount;
    }
    return sum;
  }

  function take(amount: number): Share {
    const share = { amount, since: Date.now() };
    shares.add(share);
    return {
      give(part) {
        share.amount -= part;
        share.since = Date.now();
      },
      end: () => shares.delete(share),
    };
  }

  return {
    taken,
    take,
    tryTake: (amount) => (taken() + Math.min(amount, most / 2) > most ? null : take(amount)),
  };
}
