import { newTexts, textOf } from "../texts.ts";
import { type Isolate, predict } from "./isolate.ts";
import { type Sampling, sampleInRounds } from "./sampling.ts";

/** Requests of one kind. */
export interface RequestKind {
  readonly task: string;
  /** Each request names the next ones, as many as it has inputs. */
  readonly profiles: readonly string[];
  /** Inputs of a request. */
  readonly inputs: number;
  /** Tokens of each text. */
  readonly tokens: number;
  /** Whether each input has a new text, all inputs of a request share a new text, or all requests the same one. */
  readonly texts: "new" | "one a request" | "known";
}

/** Measures requests through the Worker's own handler in rounds. Returns milliseconds by the name of their kind. */
export async function requests(
  { kinds, ...sampling }: Sampling & { readonly kinds: Readonly<Record<string, RequestKind>> },
  isolate: Isolate,
): Promise<Record<string, number[]>> {
  const candidates = Object.entries(kinds).map(([name, kind]) => {
    const nextBody = bodiesOf(kind);
    return [name, async () => (await predict(isolate, nextBody())).arrayBuffer()] as const;
  });
  return await sampleInRounds(Object.fromEntries(candidates), sampling);
}

function bodiesOf({ task, profiles, inputs, tokens, texts }: RequestKind): () => string {
  let next = 0;
  const known = textOf(tokens);
  return () => {
    const [shared] = texts === "known" ? [known] : newTexts(1, tokens);
    const own = texts === "new" ? newTexts(inputs, tokens) : [];
    const pairs = Array.from({ length: inputs }, (_, index) => ({
      profile: profiles[next++ % profiles.length],
      text: own[index] ?? shared,
    }));
    return JSON.stringify({ task, inputs: pairs });
  };
}
