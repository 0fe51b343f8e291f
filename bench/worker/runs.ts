import type { InferenceSession } from "onnxruntime-web/wasm";
import { createFeeds } from "./feeds.ts";
import type { Isolate } from "./isolate.ts";
import { type Candidate, type Sampling, sampleInRounds } from "./sampling.ts";
import { type Graph, openGraph } from "./sessions.ts";

/** A run of a graph over one text. */
export interface GraphRun {
  readonly graph: Graph;
  readonly tokens: number;
}

/** Measures runs of graphs in rounds. Returns milliseconds by the run's name. */
export async function runs(
  { runs, ...sampling }: Sampling & { readonly runs: Readonly<Record<string, GraphRun>> },
  { env }: Isolate,
): Promise<Record<string, number[]>> {
  const candidates: Record<string, Candidate> = {};
  const sessions = new Map<string, InferenceSession>();
  try {
    for (const [name, { graph, tokens }] of Object.entries(runs)) {
      const session = sessions.get(graph.graph) ?? (await openGraph(env, graph));
      sessions.set(graph.graph, session);
      const feeds = createFeeds(session, tokens);
      candidates[name] = () => session.run(feeds);
    }
    return await sampleInRounds(candidates, sampling);
  } finally {
    for (const session of sessions.values()) await session.release();
  }
}
