import { readAsset } from "../../functions/platform/assets.ts";
import { feedsOf } from "./feeds.ts";
import type { Isolate } from "./isolate.ts";
import { type Graph, openGraph } from "./sessions.ts";

/** What is opened in an isolate that has opened nothing yet. */
export interface ColdParams {
  readonly graph: Graph;
  /** A text's tokens; null if the graph takes no text. */
  readonly tokens: number | null;
}

/** Milliseconds of each phase. */
export interface ColdPhases {
  /** Reading the files from the assets. */
  readonly fetch: number;
  /** ONNX Runtime and the graph, ready to run; its files are then read already. */
  readonly session: number;
  /** One copy of the weights. */
  readonly copy: number;
  /** The first run, which compiles what it runs. */
  readonly first: number;
  /** The second. */
  readonly second: number;
}

/** Opens a graph and runs it twice. To be asked once only of an isolate. */
export async function cold({ graph, tokens }: ColdParams, { env }: Isolate): Promise<ColdPhases> {
  let last = performance.now();
  const lap = () => {
    const now = performance.now();
    const passed = now - last;
    last = now;
    return passed;
  };
  const files = new Map<string, Uint8Array>();
  for (const path of [graph.graph, ...graph.weights]) {
    const bytes = await readAsset(env.ASSETS)(path);
    if (bytes) files.set(path, bytes);
  }
  const fetch = lap();
  const session = await openGraph(env, graph, async (path) => files.get(path) ?? null);
  const opened = lap();
  const copies = graph.weights.map((path) => files.get(path)?.slice());
  const copy = copies.length > 0 ? lap() : 0;
  if (tokens === null) return { fetch, session: opened, copy, first: 0, second: 0 };
  const feeds = feedsOf(session, tokens);
  lap();
  await session.run(feeds);
  const first = lap();
  await session.run(feeds);
  return { fetch, session: opened, copy, first, second: lap() };
}
