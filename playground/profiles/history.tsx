import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { History, Profile } from "../api/answers.ts";
import { profilePath, requestJson } from "../api/request.ts";
import { ProblemText } from "../parts/problem.tsx";
import { countOf } from "../parts/text.ts";
import { bytesOfRow } from "./state.ts";

interface HistoryProps {
  readonly task: string;
  readonly row: Profile;
  /** Is called after a roll-back. */
  readonly onWritten: () => void;
}

/** The last generations of a profile, each of which can be restored. */
export function HistoryTable({ task, row, onWritten }: HistoryProps) {
  const history = useSignal<History | null>(null);
  const problem = useSignal<unknown>(null);
  const done = useSignal("");
  const path = profilePath(task, row.profile);

  async function read(signal?: AbortSignal): Promise<void> {
    try {
      history.value = await requestJson<History>(`${path}/history`, signal && { signal });
    } catch (error) {
      if (!signal?.aborted) problem.value = error;
    }
  }
  useEffect(() => {
    const controller = new AbortController();
    read(controller.signal);
    return () => controller.abort();
  }, []);

  async function rollBack(generation: number): Promise<void> {
    problem.value = null;
    try {
      const current = history.peek()?.current.generation;
      const written = await requestJson<{ generation: number }>(`${path}/rollback`, {
        json: { generation },
        headers: { "if-match": `"${current}"` },
        writes: true,
      });
      done.value = `Generation ${written.generation} restores generation ${generation}.`;
      await read();
      onWritten();
    } catch (error) {
      problem.value = error;
      // The row may be another one now, or this write may have been done.
      await read();
      onWritten();
    }
  }
  const earlier = history.value?.earlier ?? [];
  return (
    <>
      <h3>History</h3>
      <p id="history-status" role="status">
        {done.value || (history.value && earlier.length === 0 ? "There are no earlier generations." : "")}
      </p>
      {problem.value !== null && <ProblemText error={problem.value} />}
      {earlier.length > 0 && (
        <ol class="history" id="history">
          {earlier.map((one) => (
            <li key={one.generation}>
              generation {one.generation}, {new Date(one.updatedAt).toLocaleString()},{" "}
              {countOf(bytesOfRow(one), "byte")}
              <button type="button" class="quiet" onClick={() => rollBack(one.generation)}>
                Roll back to generation {one.generation}
              </button>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}
