import { XpeftError } from "../errors.ts";
import { createBudget } from "../lib/budget.ts";

/** Lets one learning run at a time, of a profile or of a task. */
export interface LearnSlot {
  /**
   * Runs work while no other runs. The work must report now and then that it is alive.
   *
   * @throws XpeftError `learning_busy`
   */
  run<Result>(work: (isAlive: () => void) => Promise<Result>): Promise<Result>;
}

/** Many times the pause between two reports: the platform has dropped a learning that stops reporting. */
const FORGET_MS = 60_000;

const RETRY_SECONDS = 5;

/** Creates a slot that nothing uses. */
export function createLearnSlot(): LearnSlot {
  const budget = createBudget({ limit: 1, forgetAfterMs: FORGET_MS });
  return {
    async run(work) {
      const reservation = budget.tryReserve(1);
      if (!reservation) {
        const facts = { retryAfterSeconds: RETRY_SECONDS };
        throw new XpeftError("learning_busy", "Another profile or task is being learnt here.", { facts });
      }
      try {
        return await work(() => reservation.release(0));
      } finally {
        reservation.close();
      }
    },
  };
}
