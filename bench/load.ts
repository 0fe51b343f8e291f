/** Sends a request and reads its answer to the end. */
export type Send = () => Promise<void>;

/**
 * Sends requests, some at a time, until all are answered.
 *
 * @returns requests a second
 */
export async function throughput(requests: readonly Send[], atATime: number): Promise<number> {
  const left = requests.values();
  const start = performance.now();
  // All callers draw from one list: each takes the next request as soon as its last is answered.
  const callers = Array.from({ length: atATime }, async () => {
    for (const send of left) await send();
  });
  await Promise.all(callers);
  return (1000 * requests.length) / (performance.now() - start);
}

/** Draws whole numbers from 0 to `below - 1`, uniformly, the same ones for the same seed. */
export function* draws(seed: number, below: number): Generator<number, never> {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield Math.floor((state / 2 ** 32) * below);
  }
}
