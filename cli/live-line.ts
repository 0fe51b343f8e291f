/** A line of a terminal that shows the newest of several texts, on standard error. */
export interface LiveLine {
  show(text: string): void;
  /** Writes a line above this one. */
  log(text: string): void;
  /** Ends the line with its newest text. What is printed next has a line of its own. */
  end(): void;
}

/** Moves the cursor to the start of its line, and clears the line. */
export const CLEAR = "\r\u001b[K";

/** Milliseconds between two frames at least. */
const FRAME_MS = 100;

const DEFAULT_COLUMNS = 80;

/** Characters of a bar. */
const BAR_WIDTH = 30;

/** Returns a bar as text. @param done the part that is done, 0 to 1 */
export const formatBar = (done: number): string => "█".repeat(Math.round(done * BAR_WIDTH)).padEnd(BAR_WIDTH, "░");

/** Returns a live line, or null if standard error is not a terminal. */
export function createLiveLine(): LiveLine | null {
  const { stderr } = process;
  if (!stderr.isTTY) return null;
  let newest = "";
  let drawnAt = 0;
  const draw = () => {
    // A text of more than one line could not be cleared. Some terminals give their width as 0.
    stderr.write(CLEAR + newest.slice(0, (stderr.columns || DEFAULT_COLUMNS) - 1));
    drawnAt = Date.now();
  };
  return {
    show(text) {
      newest = text;
      if (Date.now() - drawnAt >= FRAME_MS) draw();
    },
    log(text) {
      stderr.write(`${CLEAR}${text}\n`);
      draw();
    },
    end() {
      if (newest === "") return;
      draw();
      stderr.write("\n");
      newest = "";
    },
  };
}
