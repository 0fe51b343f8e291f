/**
 * Counts runs of something whose answers can overtake each other.
 *
 * @returns a function that starts a run, and returns whether that run is still the latest one
 */
export function countRuns(): () => () => boolean {
  let runs = 0;
  return () => {
    const own = ++runs;
    return () => own === runs;
  };
}
