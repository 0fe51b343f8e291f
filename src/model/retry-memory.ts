import { pause } from "../lib/pause.ts";

/** Pauses before the next attempt to make an instance; garbage may be collected meanwhile. */
const PAUSES_MS = [50, 250, 1000];

/**
 * Makes an instance of WebAssembly, or its memory; tries again where memory is short. The first attempt takes no turn of
 * the event loop.
 *
 * @throws RangeError if memory stays short
 */
export async function retryMemory<Result>(make: () => Result): Promise<Result> {
  for (const milliseconds of PAUSES_MS) {
    try {
      return make();
    } catch {
      await pause(milliseconds);
    }
  }
  return make();
}
