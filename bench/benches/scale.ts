import { readBundle } from "../../node/files.ts";
import { taskFor } from "../../test/support/rows.ts";
import type { Bench, Line } from "../bench.ts";
import { BUNDLE } from "../graphs.ts";
import type { BenchWorker } from "../isolate.ts";
import { draws } from "../load.ts";
import { importOver } from "../scale/import.ts";
import { rowsRead, timeLookups } from "../scale/lookups.ts";
import { createMasks, MASK_BYTES, TASK } from "../scale/rows.ts";
import { fileBytes, rowsWritten, withWorkers } from "../scale/sizes.ts";
import { ratioOf, spreadOf } from "../statistics.ts";

/** What a database of a size was found to be like. */
interface Place {
  readonly worker: BenchWorker;
  readonly profiles: number;
  readonly perSecond: number;
  readonly bytes: number;
  /** Milliseconds of lookups, by turn. */
  readonly turns: number[][];
}

const p95 = (numbers: readonly number[]): number => spreadOf(numbers).p95;

/** What a replaced profile adds to the file, as the generation before it is kept. Done last: it writes all profiles again. */
async function historyBytes({ worker, profiles }: Place, masksOf: ReturnType<typeof createMasks>): Promise<number> {
  const before = await fileBytes(worker.db);
  await importOver(
    worker,
    (number) => masksOf(number, 1),
    profiles,
    () => {},
  );
  return ((await fileBytes(worker.db)) - before) / profiles;
}

const plotOf = (table: readonly Line[]) => ({
  title: "A cold profile's lookup, p95",
  data: { values: [...table] },
  mark: { type: "line" as const, point: true },
  encoding: {
    x: { field: "profiles", type: "quantitative" as const, scale: { type: "log" as const }, title: "profiles" },
    y: { field: "p95 ms", type: "quantitative" as const, scale: { zero: true }, title: "ms" },
  },
});

export const scale: Bench = {
  name: "scale",
  about: "a million profiles in D1: import, bytes, and a cold lookup over that with a thousand",
  async run({ quick, progress }) {
    const sizes = quick ? [1000, 2000] : [1000, 10_000, 100_000, 1_000_000];
    const { turns, lookups } = quick ? { turns: 2, lookups: 20 } : { turns: 80, lookups: 100 };
    const task = taskFor(await readBundle(BUNDLE), { name: TASK });
    const masksOf = createMasks();
    return await withWorkers(sizes.length, async (workers) => {
      const all = sizes.reduce((sum, size) => sum + size, 0);
      let written = 0;
      const places: Place[] = [];
      for (const [number, worker] of workers.entries()) {
        const profiles = sizes[number] ?? 0;
        await worker.push(task, []);
        const seconds = await importOver(worker, masksOf, profiles, (now) =>
          progress(written + now, 2 * all, "import"),
        );
        written += profiles;
        const bytes = (await fileBytes(worker.db)) / profiles;
        places.push({ worker, profiles, perSecond: profiles / seconds, bytes, turns: [] });
      }
      for (let turn = 0; turn < turns; turn++) {
        progress(all + (all * turn) / turns, 2 * all, "lookups");
        // Turned round each time: none always follows the same one.
        for (const [place, { worker, profiles, turns: done }] of (turn % 2 ? places.toReversed() : places).entries()) {
          const drawn = draws(turn * places.length + place, profiles);
          done.push(
            await timeLookups(
              worker,
              Array.from({ length: lookups }, () => drawn.next().value),
            ),
          );
        }
      }
      const [least] = places;
      const most = places.at(-1);
      if (!least || !most) throw new RangeError("There are no sizes.");
      const over = ({ turns }: Place) => ratioOf(turns.map(p95), least.turns.map(p95)).median;
      const table: Line[] = places.map((place) => ({
        profiles: place.profiles,
        "import, profiles/s": place.perSecond,
        "bytes a profile": place.bytes,
        "median ms": spreadOf(place.turns.flat()).median,
        "p95 ms": p95(place.turns.flat()),
        "p95, over the first's": over(place),
      }));
      return {
        figures: {
          scale_lookup_1e6: { value: over(most), unit: "x", goal: { most: 1.5 } },
          scale_import_per_second: { value: most.perSecond, unit: "profiles a second" },
          scale_bytes_per_profile: { value: most.bytes, unit: "bytes" },
          scale_mask_bytes: { value: MASK_BYTES, unit: "bytes" },
          scale_rows_read: { value: await rowsRead(most.worker.db, 0), unit: "rows a lookup" },
          scale_rows_written: { value: await rowsWritten(least.worker.db), unit: "rows a profile" },
          scale_history_bytes: { value: await historyBytes(places[1] ?? least, masksOf), unit: "bytes a generation" },
        },
        table,
        plots: { scale: plotOf(table) },
      };
    });
  },
};
