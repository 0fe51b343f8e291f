/** What a shell calls the exit of a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Ends the process at Ctrl-C, once something was said. It must be called before a database is opened: Miniflare ends the process
 * from within its own handler, so nothing can be awaited here, and whoever comes later is not asked.
 */
export function exitOnInterrupt(say: () => void): void {
  process.once("SIGINT", () => {
    say();
    process.exit(INTERRUPTED);
  });
}
