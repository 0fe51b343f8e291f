import type { Context } from "hono";
import type { Engine } from "../../src/serving/engine.ts";
import type { Shards } from "../../src/sharding/shards.ts";
import { bookmarkNow } from "../http/bookmarks.ts";
import type { AppEnv } from "../http/env.ts";
import { answerEvents } from "../http/server-sent-events.ts";
import { detachSessions } from "../middleware/bookmark.ts";
import { LEARN_SECONDS } from "../platform/settings.ts";
import { serviceOf } from "../service/service.ts";

/** What learning in the Worker is given: when to stop, and where its progress goes. */
interface LearningHooks {
  readonly signal: AbortSignal;
  readonly budgetSeconds: number;
  onProgress(progress: object): Promise<void>;
}

/**
 * Answers with the events of a learning: `progress` while the caller's key is valid, then `learnt` with the result, the
 * seconds that it took, and the bookmark of what was written.
 *
 * @param examples their number, for the request's log line
 * @param learn returns the result
 */
export async function answerLearning(
  c: Context<AppEnv>,
  examples: number,
  learn: (service: { engine: Engine; shards: Shards }, hooks: LearningHooks) => Promise<object>,
): Promise<Response> {
  const { shards } = await c.get("registry")();
  // The headers are sent before anything is written, so a bookmark in them would be too old.
  const sessions = detachSessions(c);
  const { engine } = await serviceOf(c.env.platform, c.executionCtx);
  c.set("texts", examples);
  return await answerEvents(c, async (send, signal) => {
    const startMs = Date.now();
    const onProgress = async (progress: object) => {
      await c.get("stillAllowed")();
      await send("progress", progress);
    };
    const learnt = await learn({ engine, shards }, { signal, budgetSeconds: LEARN_SECONDS, onProgress });
    await send("learnt", {
      ...learnt,
      seconds: (Date.now() - startMs) / 1000,
      bookmark: sessions ? bookmarkNow(sessions) : null,
    });
  });
}
