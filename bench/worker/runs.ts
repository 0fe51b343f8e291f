import { feedsOf } from "./feeds.ts";
import type { Isolate } from "./isolate.ts";
import { type Graph, openGraph } from "./sessions.ts";
import { inTurns, type Patience } from "./turns.ts";

/** Bare runs of graphs over the same text, in turns; milliseconds by the graph's name. */
export async function runs(
  {
    graphs,
    tokens,
    ...patience
  }: Patience & { readonly graphs: Readonly<Record<string, Graph>>; readonly tokens: number },
  { env }: Isolate,
): Promise<Record<string, number[]>> {
  const candidates: Record<string, () => Promise<unknown>> = {};
  const sessions = [];
  for (const [name, graph] of Object.entries(graphs)) {
    const session = await openGraph(env, graph);
    const feeds = feedsOf(session, tokens);
    sessions.push(session);
    candidates[name] = () => session.run(feeds);
  }
  try {
    return await inTurns(candidates, patience);
  } finally {
    for (const session of sessions) await session.release();
  }
}
