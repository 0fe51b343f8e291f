/** A bounded amount of something that is taken and given back: tokens that wait, bytes that are held. */
export interface Room {
  /** The most that may be taken. */
  readonly most: number;
  /** What is taken now. */
  taken(): number;
  /** Takes an amount if there is room for it. Where nothing is taken there always is, so that no amount waits for ever. */
  tryTake(amount: number): boolean;
  /** Takes an amount whether there is room for it or not. */
  take(amount: number): void;
  /** Gives back what was taken, or a part of it. */
  give(amount: number): void;
}

/** Makes room for `most`, in whatever unit its user counts. */
export function createRoom(most: number): Room {
  let taken = 0;
  return {
    most,
    taken: () => taken,
    tryTake(amount) {
      if (taken > 0 && taken + amount > most) return false;
      taken += amount;
      return true;
    },
    take(amount) {
      taken += amount;
    },
    give(amount) {
      taken -= amount;
    },
  };
}
