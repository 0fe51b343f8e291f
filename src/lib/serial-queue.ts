/**
 * Creates a queue for one resource: each piece of work starts when the one before it has settled.
 *
 * @returns a function that queues work and resolves with its result
 */
export function createSerialQueue(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work, work);
    last = done;
    return done;
  };
}
