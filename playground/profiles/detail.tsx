import { useMemo } from "preact/hooks";
import type { Profile, Task } from "../api/answers.ts";
import { messageOf } from "../api/request.ts";
import { bytesOf } from "../parts/bytes.ts";
import { countOf } from "../parts/text.ts";
import { useLater } from "../parts/use-later.ts";
import { HistoryTable } from "./history.tsx";
import { headParts, labelBiasText, partsText } from "./label-bias.ts";
import { MaskGrid } from "./mask-grid.tsx";
import { neighboursOf, sharedByChance } from "./overlap.ts";
import type { TaskShape } from "./shape.ts";
import { bytesOfRow } from "./state.ts";
import { maskVector, type Vectors } from "./vectors.ts";

const NEIGHBOURS = 5;

interface DetailProps {
  readonly task: Task;
  readonly row: Profile;
  readonly shape: TaskShape;
  /** What all profiles choose; null while it is being read. */
  readonly vectors: Vectors | null;
  readonly onChoose: (id: string) => void;
  readonly onWritten: () => void;
}

/** Says what is wrong with a damaged row; null if nothing is. */
function damageOf(row: Profile, shape: TaskShape): unknown {
  try {
    maskVector(row, shape.masks);
    headParts(row.labelBias === null ? null : bytesOf(row.labelBias), shape.head);
    return null;
  } catch (error) {
    return error;
  }
}

/** A profile: its details, or what is wrong with its row. */
export function ProfileDetail(props: DetailProps) {
  const { task, row, shape, onWritten } = props;
  const damage = useMemo(() => damageOf(row, shape), [row, shape]);
  if (damage === null) return <Details {...props} />;
  return (
    <section class="card" aria-labelledby="detail-title">
      <h2 id="detail-title">{row.profile}</h2>
      <p class="problem">{messageOf(damage)} Roll it back to an earlier generation, or write it again.</p>
      <HistoryTable task={task.task} row={row} onWritten={onWritten} />
    </section>
  );
}

/** What a profile consists of, whom it is like, and what it was before. */
function Details({ task, row, shape, vectors, onChoose, onWritten }: DetailProps) {
  const bias = row.labelBias === null ? null : bytesOf(row.labelBias);
  const neighbours = useLater(
    async (signal) => (vectors ? neighboursOf(row.profile, vectors, NEIGHBOURS, signal) : []),
    [row, vectors],
  );
  const parts = headParts(bias, shape.head);
  const { layers, chosen: each, size } = shape.masks;
  const chosen = 2 * layers * each;
  return (
    <section class="card" aria-labelledby="detail-title">
      <h2 id="detail-title">{row.profile}</h2>
      <dl class="facts">
        <div>
          <dt>Stored</dt>
          <dd>
            {countOf(bytesOfRow(row), "byte")}
            {bytesOfRow(row) > 0 && `: ${partsText(row.maskBytes, parts)}`}
          </dd>
        </div>
        <div>
          <dt>Last write</dt>
          <dd>
            generation {row.generation}, {new Date(row.updatedAt).toLocaleString()}
          </dd>
        </div>
        <div>
          <dt>Label bias</dt>
          <dd>{labelBiasText(bias, task.labels)}</dd>
        </div>
      </dl>
      <h3>Masks</h3>
      {row.masks === "" ? (
        <p>
          This profile has no masks: it reads a text as the task's default does. Its label bias alone makes the
          difference.
        </p>
      ) : (
        <>
          <p>
            In each row, the profile averages {each} of {size} adapters into one. Filled: chosen. The stronger the
            frame, the more profiles choose it.
          </p>
          <MaskGrid row={row} shape={shape.masks} popularity={vectors?.popularity ?? null} />
          <h3>Most alike</h3>
          <p>
            It chooses {chosen} adapters. By chance, two profiles share about {Math.round(sharedByChance(shape.masks))}.
          </p>
          <ul class="neighbours" id="neighbours">
            {neighbours?.map(({ profile, shared }) => (
              <li key={profile}>
                <button type="button" class="quiet" onClick={() => onChoose(profile)}>
                  {profile}
                </button>{" "}
                shares {shared} of {chosen}
              </li>
            ))}
          </ul>
        </>
      )}
      <HistoryTable task={task.task} row={row} onWritten={onWritten} />
    </section>
  );
}
