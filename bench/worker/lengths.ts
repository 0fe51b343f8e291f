import { feedsOf } from "./feeds.ts";
import type { Isolate } from "./isolate.ts";
import { type Graph, openGraph } from "./sessions.ts";
import { inTurns, type Patience } from "./turns.ts";

/** Bare runs of one graph over texts of several lengths, in turns; milliseconds by the number of tokens. */
export async function lengths(
  { graph, tokens, ...patience }: Patience & { readonly graph: Graph; readonly tokens: readonly number[] },
  { env }: Isolate,
): Promise<Record<string, number[]>> {
  const session = await openGraph(env, graph);
  try {
    const candidates = tokens.map((count) => {
      const feeds = feedsOf(session, count);
      return [String(count), () => session.run(feeds)] as const;
    });
    return await inTurns(Object.fromEntries(candidates), patience);
  } finally {
    await session.release();
  }
}
