import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { expect, it, vi } from "vitest";
import worker from "../../../../functions/index.ts";
import { generateKey } from "../../../../src/auth/api-keys.ts";
import { createKeyStore } from "../../../../src/auth/key-store.ts";
import { createPush } from "../../../../src/storage/push.ts";
import { countQueries } from "../../../support/count-queries.ts";
import { profilesOf, taskOf } from "../../../support/rows.ts";

it("shows a profile with one query, so that it fits the task's labels even while both are replaced", async () => {
  const db = drizzle(env.DB);
  await createPush(db)(taskOf(), profilesOf(1));
  const newKey = { name: "test", scopes: ["write" as const], task: null, profilePrefix: "", expiresAt: null };
  const { key, row } = await generateKey(newKey);
  await createKeyStore(db).add(row);
  vi.spyOn(console, "log").mockImplementation(() => {});
  const { database: DB, queries } = countQueries(env.DB);
  const bindings = { ...env, DB };
  const read = async () => {
    const context = createExecutionContext();
    const request = new Request("https://worker.invalid/v1/profiles/demo/demo-000", {
      headers: { authorization: `Bearer ${key}` },
    });
    const response = await worker.fetch(request, bindings, context);
    expect(await response.json()).toMatchObject({ profile: "demo-000", knownLabels: null, headChangeRank: 0 });
    await waitOnExecutionContext(context);
  };
  // The first request also reads the key and the database's place.
  await read();
  const before = queries();
  await read();
  expect(queries() - before).toBe(1);
});
