import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { expect, it, vi } from "vitest";
import worker from "../../../../functions/index.ts";
import { bundleAssets } from "../../../../functions/platform/assets.ts";
import { readManifest } from "../../../../src/bundle/files.ts";
import { createPush } from "../../../../src/storage/push.ts";
import { countQueries } from "../../../support/count-queries.ts";
import { profilesOf, taskFor } from "../../../support/rows.ts";

const PROFILES = 32;

it(`answers ${PROFILES} texts under ${PROFILES} profiles with one query, each like a single call`, async () => {
  await createPush(drizzle(env.DB))(taskFor(await readManifest(bundleAssets(env.ASSETS).read)), profilesOf(PROFILES));
  vi.spyOn(console, "log").mockImplementation(() => {});
  const { database: DB, queries } = countQueries(env.DB);
  const bindings = { ...env, DB, PUBLIC_PREDICT: "true" };
  const predict = async (body: object) => {
    const context = createExecutionContext();
    const request = new Request("https://worker.invalid/v1/predict", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ task: "demo", logits: true, ...body }),
    });
    const response = await worker.fetch(request, bindings, context);
    expect(response.status).toBe(200);
    const { predictions } = await response.json<{ predictions: object[] }>();
    await waitOnExecutionContext(context);
    return predictions;
  };
  const inputs = profilesOf(PROFILES).map(({ id }, index) => ({
    profile: id,
    text: `Text number ${index} of ${"very ".repeat(index)}many`,
  }));

  const mixed = await predict({ inputs });
  expect(queries()).toBe(1);
  const again = await predict({ inputs });
  expect(queries()).toBe(1);
  expect(again).toEqual(mixed);
  for (const [place, { profile, text }] of inputs.entries()) {
    // Compared as text, so that even the sign of a zero must match.
    expect(JSON.stringify((await predict({ profile, inputs: text }))[0])).toBe(JSON.stringify(mixed[place]));
  }
});
