import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { expect, it } from "vitest";
import { createStore } from "../../src/store.ts";
import { profilesOf, taskOf } from "../support/rows.ts";

const MOST_BYTES = 200;

it(`keeps a profile of the default bundle in ${MOST_BYTES} bytes`, async () => {
  await createStore(drizzle(env.DB)).push(taskOf({ name: "news" }), profilesOf(81));
  // An integer takes at most eight bytes, whatever it counts.
  const bytes = await env.DB.prepare(
    "SELECT max(length(CAST(task AS BLOB)) + length(CAST(id AS BLOB)) + length(masks) + 8 + 8) AS bytes FROM profiles",
  ).first<number>("bytes");
  expect(bytes).toBe(4 + 8 + 156 + 8 + 8);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
});

it("has no profile without its task", async () => {
  const orphan = env.DB.prepare("INSERT INTO profiles VALUES ('nothing', 'x', x'00', 1, 1)").run();
  await expect(orphan).rejects.toThrow("FOREIGN KEY");
});
