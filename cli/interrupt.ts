/** The exit status of a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Calls a function at Ctrl-C, then ends the process. Call this before a database is opened: Miniflare ends the process in
 * its own handler, so later handlers do not run, and this one cannot wait for anything.
 */
export function exitOnInterrupt(onInterrupt: () => void): void {
  process.once("SIGINT", () => {
    onInterrupt();
    process.exit(INTERRUPTED);
  });
}
