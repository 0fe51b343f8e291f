import { drizzle } from "drizzle-orm/d1";
import { beforeEach, expect, it } from "vitest";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { createPush } from "../../../src/storage/push.ts";
import { countQueries } from "../../support/count-queries.ts";
import { profilesOf, taskOf } from "../../support/rows.ts";
import { DATABASES, shardsOver } from "../../support/shards.ts";

const [database] = DATABASES;

beforeEach(() => createPush(drizzle(database))(taskOf(), profilesOf(2)));

// Most deploys have a single database. Support for more must not cost them a query per prediction.
it.each([
  ["a profile whose task is known", "demo", ["demo-000"], 1],
  ["a profile and its task", "demo", ["demo-000", "demo-001"], null],
  ["an unknown profile", "demo", ["nobody"], 1],
  ["a task without profiles", "demo", [], null],
  ["a task that has changed since", "demo", ["demo-000"], 7],
  ["an unknown task", "nothing", ["demo-000"], 1],
])("reads %s with one query of a single database", async (_, task, ids, known) => {
  const { database: counting, queries } = countQueries(database);
  const { profiles } = await createShardedProfileStore(shardsOver([counting]), null).read(task, ids, known);
  expect([...profiles.keys()]).toEqual(task === "demo" ? ids.filter((id) => id !== "nobody") : []);
  expect(queries()).toBe(1);
});
