import { type Isolate, predict } from "./isolate.ts";
import { type Sampling, sampleInRounds } from "./sampling.ts";

/** Measures requests through the Worker's own handler in rounds. Returns milliseconds by the name of the body. */
export async function requests(
  { bodies, ...sampling }: Sampling & { readonly bodies: Readonly<Record<string, string>> },
  isolate: Isolate,
): Promise<Record<string, number[]>> {
  const candidates = Object.entries(bodies).map(
    ([name, body]) => [name, async () => (await predict(isolate, body)).arrayBuffer()] as const,
  );
  return await sampleInRounds(Object.fromEntries(candidates), sampling);
}
