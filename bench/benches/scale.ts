import { readBundle } from "../../node/files.ts";
import { taskFor } from "../../test/support/rows.ts";
import type { Bench, Row } from "../bench.ts";
import { BUNDLE } from "../graphs.ts";
import { linePlot } from "../plots.ts";
import { createDraw } from "../random.ts";
import { inRounds } from "../rounds.ts";
import { rowsRead, rowsWritten, withWorkers } from "../scale/database.ts";
import { importProfiles } from "../scale/import.ts";
import { timeLookups } from "../scale/lookups.ts";
import { createMasks, MASK_BYTES, TASK } from "../scale/profiles.ts";
import { medianOf, pairedRatio, quantilesOf } from "../statistics.ts";
import { type BenchWorker, databaseBytes } from "../with-worker.ts";

/** A database with a number of profiles, and what was measured. */
interface Measured {
  readonly worker: BenchWorker;
  readonly profiles: number;
  readonly perSecond: number;
  readonly bytesPerProfile: number;
  /** Milliseconds of lookups by round. */
  readonly lookups: number[][];
}

const p95 = (samples: readonly number[]): number => quantilesOf(samples).p95;

/** Replaces every profile and returns how many bytes each adds to the database, because it keeps the old generation. */
async function historyBytes({ worker, profiles }: Measured, masksOf: ReturnType<typeof createMasks>): Promise<number> {
  const before = await databaseBytes(worker.db);
  await importProfiles(worker, (number) => masksOf(number, 1), profiles);
  return ((await databaseBytes(worker.db)) - before) / profiles;
}

export const scale: Bench = {
  name: "scale",
  description: "a million profiles in D1: import, bytes, and a cold lookup / the lookup among a thousand",
  async run({ quick, progress }) {
    const sizes = quick ? [1000, 2000] : [1000, 10_000, 100_000, 1_000_000];
    const { rounds, lookups } = quick ? { rounds: 2, lookups: 20 } : { rounds: 80, lookups: 100 };
    const task = taskFor(await readBundle(BUNDLE), { name: TASK });
    const masksOf = createMasks();
    return await withWorkers(sizes.length, async (workers) => {
      const total = sizes.reduce((sum, size) => sum + size, 0);
      let imported = 0;
      const databases: Measured[] = [];
      for (const [index, worker] of workers.entries()) {
        const profiles = sizes[index] ?? 0;
        await worker.push(task, []);
        const seconds = await importProfiles(worker, masksOf, profiles, (written) =>
          progress(imported + written, 2 * total, "import"),
        );
        imported += profiles;
        const bytesPerProfile = (await databaseBytes(worker.db)) / profiles;
        databases.push({ worker, profiles, perSecond: profiles / seconds, bytesPerProfile, lookups: [] });
      }
      for (const { round, index, item } of inRounds(databases, rounds)) {
        progress(total + (total * round) / rounds, 2 * total, "lookups");
        const draw = createDraw(round * databases.length + index, item.profiles);
        item.lookups.push(await timeLookups(item.worker, Array.from({ length: lookups }, draw)));
      }
      const [smallest, second = smallest] = databases;
      const largest = databases.at(-1);
      if (!smallest || !second || !largest) throw new RangeError("There are no sizes.");
      const ratioOf = (database: Measured) => pairedRatio(database.lookups.map(p95), smallest.lookups.map(p95)).median;
      const table: Row[] = databases.map((database) => ({
        profiles: database.profiles,
        "import, profiles/s": database.perSecond,
        "bytes a profile": database.bytesPerProfile,
        "median ms": medianOf(database.lookups.flat()),
        "p95 ms": p95(database.lookups.flat()),
        "p95, over the first's": ratioOf(database),
      }));
      const plot = linePlot(
        "A cold profile's lookup, p95",
        table,
        { field: "profiles", scale: { type: "log" } },
        { field: "p95 ms", title: "ms", scale: { zero: true } },
      );
      return {
        figures: {
          scale_lookup_1e6: { value: ratioOf(largest), unit: "x", goal: { most: 1.5 } },
          scale_import_per_second: { value: largest.perSecond, unit: "profiles a second" },
          scale_bytes_per_profile: { value: largest.bytesPerProfile, unit: "bytes" },
          scale_mask_bytes: { value: MASK_BYTES, unit: "bytes" },
          scale_rows_read: { value: await rowsRead(largest.worker.db, 0), unit: "rows a lookup" },
          scale_rows_written: { value: await rowsWritten(smallest.worker.db), unit: "rows a profile" },
          // Last, because it writes all profiles again.
          scale_history_bytes: { value: await historyBytes(second, masksOf), unit: "bytes a generation" },
        },
        table,
        plots: { scale: plot },
      };
    });
  },
};
