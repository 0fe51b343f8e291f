import { idsIn } from "../../support/ids.ts";
import { taskFile, taskFor } from "../../support/rows.ts";
import { type Provocations, REQUEST, startOther } from "./fixture.ts";

/** Two databases in a wrong state. */
export const shardProvocations = {
  async shard_map_mismatch() {
    const worker = await startOther({ databases: 2 });
    for (const db of worker.dbs) await db.exec("UPDATE shard SET number = 1 - number");
    return await worker.get("/v1/tasks");
  },

  async shards_out_of_step({ bundle }) {
    const worker = await startOther({ databases: 2, vars: { CACHE_TTL_SECONDS: "0" } });
    const [, second] = worker.dbs;
    await second?.exec("CREATE TRIGGER away BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'away'); END");
    await worker.request("PUT", "/v1/tasks/demo", { body: taskFile(taskFor(bundle)) });
    return await worker.predict({ ...REQUEST, profile: idsIn(1, 1)[0] });
  },
} satisfies Provocations;
