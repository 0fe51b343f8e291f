import { bundleAssets } from "../../functions/platform/assets.ts";
import { startStopwatch } from "../../src/lib/stopwatch.ts";
import { createFeeds } from "./feeds.ts";
import type { Isolate } from "./isolate.ts";
import { type Graph, openGraph } from "./sessions.ts";

/** What to open in an isolate that has opened nothing yet. */
export interface ColdParams {
  readonly graph: Graph;
  /** Tokens of the text; null if the graph takes no text. */
  readonly tokens: number | null;
}

/** Milliseconds of each phase. */
export interface ColdPhases {
  /** Reading the files from the assets. */
  readonly fetch: number;
  /** Starting ONNX Runtime and opening the graph, without reading its files. */
  readonly session: number;
  /** One copy of the weights. */
  readonly copy: number;
  /** The first run, which compiles the code that it uses. */
  readonly first: number;
  /** The second run. */
  readonly second: number;
}

/** Opens a graph and runs it twice. The figures are only true for the first call in an isolate. */
export async function cold({ graph, tokens }: ColdParams, { env }: Isolate): Promise<ColdPhases> {
  const lap = startStopwatch();
  const files = new Map<string, Uint8Array>();
  for (const path of [graph.graph, ...graph.weights]) {
    const bytes = await bundleAssets(env.ASSETS).read(path);
    if (bytes) files.set(path, bytes);
  }
  const fetch = lap();
  const opened = await openGraph(env, graph, async (path) => files.get(path) ?? null);
  const session = lap();
  const copies = graph.weights.map((path) => files.get(path)?.slice());
  const copy = copies.length > 0 ? lap() : 0;
  if (tokens === null) return { fetch, session, copy, first: 0, second: 0 };
  const feeds = createFeeds(opened, tokens);
  lap();
  await opened.run(feeds);
  const first = lap();
  await opened.run(feeds);
  return { fetch, session, copy, first, second: lap() };
}
