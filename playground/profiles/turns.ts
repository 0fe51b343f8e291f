/** Rows that are worked on before the browser may draw and handle what the user does. */
const ROWS_A_TURN = 500;

const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Calls `visit` with each row, and lets the browser work in between. @throws if the signal is aborted */
export async function visitRows<Row>(
  rows: readonly Row[],
  signal: AbortSignal,
  visit: (row: Row, place: number) => void,
): Promise<void> {
  for (const [place, row] of rows.entries()) {
    if (place > 0 && place % ROWS_A_TURN === 0) {
      await turn();
      signal.throwIfAborted();
    }
    visit(row, place);
  }
}
