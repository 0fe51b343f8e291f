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
  const known = textOf(tokens);
  const repeat = (text: string | undefined) => Array.from({ length: inputs }, () => text);
  const textsOf = {
    new: () => newTexts(inputs, tokens),
    "one a request": () => repeat(newTexts(1, tokens)[0]),
    known: () => repeat(known),
  };
  let next = 0;
  return () => {
    const pairs = textsOf[texts]().map((text) => ({ profile: profiles[next++ % profiles.length], text }));
    return JSON.stringify({ task, inputs: pairs });
  };
}
