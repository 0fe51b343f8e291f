import type { Bindings } from "../../functions/env.ts";
import { feedsOf, openGraph } from "./sessions.ts";
import { inTurns, type Patience } from "./turns.ts";

/** What the overhead is measured with. */
export interface OverheadParams extends Patience {
  readonly graph: { readonly graph: string; readonly weights: readonly string[] };
  /** By its tokens, special ones included: the body of a prediction for a text of so many. */
  readonly bodies: Readonly<Record<string, string>>;
}

/** A prediction through the Worker's own handler, and a bare run of the plain PLM, by tokens. */
export async function overhead(
  { graph, bodies, ...patience }: OverheadParams,
  env: Bindings,
  ask: (body: string) => Promise<Response>,
): Promise<Record<string, { worker: number[]; plain: number[] }>> {
  const session = await openGraph(env, graph);
  const found: Record<string, { worker: number[]; plain: number[] }> = {};
  for (const [tokens, body] of Object.entries(bodies)) {
    const { predictions } = await (await ask(body)).json<{ predictions: { tokens: number }[] }>();
    if (predictions[0]?.tokens !== Number(tokens))
      throw new Error(`The text has ${predictions[0]?.tokens} tokens, not ${tokens}.`);
    const feeds = feedsOf(session, Number(tokens));
    found[tokens] = await inTurns(
      { worker: async () => (await ask(body)).arrayBuffer(), plain: () => session.run(feeds) },
      patience,
    );
  }
  return found;
}
