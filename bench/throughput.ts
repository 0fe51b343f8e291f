/** Sends a request and reads its response to the end. */
export type Send = () => Promise<void>;

/**
 * Sends requests, `concurrency` at a time, and waits for all responses.
 *
 * @returns requests a second
 */
export async function throughput(requests: readonly Send[], concurrency: number): Promise<number> {
  const queue = requests.values();
  const start = performance.now();
  // All clients share one queue: each sends the next request as soon as it has its response.
  const clients = Array.from({ length: concurrency }, async () => {
    for (const send of queue) await send();
  });
  await Promise.all(clients);
  return (1000 * requests.length) / (performance.now() - start);
}
