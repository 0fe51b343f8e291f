/** Starts a stopwatch: each call returns the milliseconds since the call before. */
export function startStopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    return passed;
  };
}
