import { askForPrediction, type Isolate } from "./isolate.ts";
import { inTurns, type Patience } from "./turns.ts";

/** Requests through the Worker's own handler, in turns; milliseconds by the name of each body. */
export async function batches(
  { bodies, ...patience }: Patience & { readonly bodies: Readonly<Record<string, string>> },
  isolate: Isolate,
): Promise<Record<string, number[]>> {
  const candidates = Object.entries(bodies).map(
    ([name, body]) => [name, async () => (await askForPrediction(isolate, body)).arrayBuffer()] as const,
  );
  return await inTurns(Object.fromEntries(candidates), patience);
}
