import { drizzle } from "drizzle-orm/d1";
import { beforeEach, expect, it } from "vitest";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { createPush } from "../../../src/storage/push.ts";
import { counted } from "../../support/counted.ts";
import { profilesOf, taskOf } from "../../support/rows.ts";
import { DATABASES, shardsOver } from "../../support/shards.ts";

const [database] = DATABASES;

beforeEach(() => createPush(drizzle(database))(taskOf(), profilesOf(2)));

// Most deploys have a single database: that there can be more must cost a prediction nothing there.
it.each([
  ["a profile whose task is known", "demo", ["demo-000"], 1],
  ["a profile and its task", "demo", ["demo-000", "demo-001"], null],
  ["a profile that is not there", "demo", ["nobody"], 1],
  ["a task alone", "demo", [], null],
  ["a task that was written since", "demo", ["demo-000"], 7],
  ["a task that is not there", "nothing", ["demo-000"], 1],
])("reads %s by one query of a single database", async (_what, task, ids, known) => {
  const { database: asked, queries } = counted(database);
  const { profiles } = await createShardedProfileStore(shardsOver([asked]), null).read(task, ids, known);
  expect([...profiles.keys()]).toEqual(task === "demo" ? ids.filter((id) => id !== "nobody") : []);
  expect(queries()).toBe(1);
});
