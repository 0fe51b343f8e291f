import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { expect, it } from "vitest";
import { createPush } from "../../src/storage/push.ts";
import { masksOf, taskOf } from "../support/rows.ts";

const MAX_BYTES = 130;

it.each([
  ["news", new Uint8Array(30), 4 + 8 + 64 + 30 + 8 + 8],
  ["offense", Uint8Array.of(1, 2, 3, 4, 5), 7 + 11 + 64 + 5 + 8 + 8],
])(`stores a profile of the demo task %s in at most ${MAX_BYTES} bytes`, async (name, labelBias, expected) => {
  const profiles = [{ id: `${name}-080`, masks: masksOf(1), labelBias }];
  await createPush(drizzle(env.DB))(taskOf({ name }), profiles);
  // An integer needs at most eight bytes.
  const bytes = await env.DB.prepare(
    `SELECT length(CAST(task AS BLOB)) + length(CAST(id AS BLOB)) + length(masks) + coalesce(length(label_bias), 0) + 8 + 8
    AS bytes FROM profiles`,
  ).first<number>("bytes");
  expect(bytes).toBe(expected);
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
});

it("rejects a profile without its task", async () => {
  const orphan = env.DB.prepare(
    "INSERT INTO profiles (task, id, masks, generation, updated_at) VALUES ('nothing', 'x', x'00', 1, 1)",
  ).run();
  await expect(orphan).rejects.toThrow("FOREIGN KEY");
});
