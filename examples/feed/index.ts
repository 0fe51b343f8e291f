// A feed in sections: each reader gets the same items under labels of their own.
import { Hono } from "hono";
import { createClient, unwrap } from "xpeft-edge/client";
import * as z from "zod";
import { answerProblem } from "../problems.ts";

interface Env {
  /** The xpeft-edge Worker. */
  readonly XPEFT: Fetcher;
  /** A key with the scope `predict`. */
  readonly XPEFT_KEY: string;
}

/** The service labels up to 64 texts in one request. */
const MAX_ITEMS = 64;

const Item = z.strictObject({ id: z.string(), title: z.string() });
const Feed = z.strictObject({ items: z.array(Item).min(1).max(MAX_ITEMS) });

const app = new Hono<{ Bindings: Env }>();

/**
 * Answers with the items in sections by label, the largest section first. In a section, the highest score comes first.
 * Readers without a profile get the task's default profile. `personal` is then false.
 */
app.post("/readers/:reader/feed", async (c) => {
  const { items } = Feed.parse(await c.req.json());
  const reader = c.req.param("reader");
  const client = createClient("http://xpeft-edge", {
    key: c.env.XPEFT_KEY,
    fetch: c.env.XPEFT.fetch.bind(c.env.XPEFT),
  });
  const inputs = items.map(({ title }) => title);
  const { predictions } = await unwrap(
    client.v1.predict.$post({ json: { task: "news", profile: reader, inputs, onUnknownProfile: "default" } }),
  );
  const labelled = predictions.map(({ label, score }, place) => ({ label, item: { ...items[place], score } }));
  const sections = [...Map.groupBy(labelled, ({ label }) => label)]
    .map(([label, found]) => ({
      label,
      items: found.map(({ item }) => item).sort((a, b) => b.score - a.score),
    }))
    .sort((a, b) => b.items.length - a.items.length || (a.label < b.label ? -1 : 1));
  return c.json({ reader, personal: predictions.every(({ masks }) => masks === "profile"), sections });
});

app.onError(answerProblem('Send {"items": [{"id": "1", "title": "A headline"}]}.'));

export default app;
