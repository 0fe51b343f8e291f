// The web worker that labels texts on this device. The page starts another one for another key.
import {
  type Answer,
  compileKernels,
  type LocalPredictor,
  NoRelaxedSimdError,
  openLocalPredictor,
  ProblemError,
  UnreachableError,
  XpeftError,
} from "../../client/local/index.ts";
import encoder from "../../src/model/kernels/encoder.wasm";
import kernels from "../../src/model/kernels/kernels.wasm";
import type { Problem } from "../api/answers.ts";
import type { LocalReply, LocalRequest } from "../api/local-messages.ts";

/** What the project's types, which are workerd's, lack of a web worker. */
interface WebWorker {
  readonly location: { readonly origin: string };
  postMessage(reply: LocalReply<Answer>): void;
  onmessage: (event: { readonly data: LocalRequest }) => void;
}
const scope = globalThis as unknown as WebWorker;

/** esbuild puts a file's bytes where a Worker imports a module. */
const bytesOf = (file: unknown) => file as Uint8Array;

const UNTICK = "Untick the box to send the text to the service.";
const HINTS: Readonly<Record<string, string>> = {
  bundle_mismatch: "Reload the page.",
  bundle_unusable: UNTICK,
  bundle_file_corrupt: UNTICK,
  empty_text: "Enter a text.",
  unknown_profile: "Check its spelling. If it is new, untick the box and tick it again.",
};

let opening: Promise<LocalPredictor> | undefined;

/** Opens the predictor; after a failure, again. */
async function open(key: string): Promise<LocalPredictor> {
  opening ??= openLocalPredictor(
    { url: scope.location.origin, ...(key !== "" && { key }) },
    {
      kernels: compileKernels(bytesOf(encoder), bytesOf(kernels)),
      onDownload: (download) => scope.postMessage({ download }),
    },
  );
  return await opening.catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
}

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof XpeftError) {
    return { code: error.code, detail: error.message, hint: HINTS[error.code] ?? "" };
  }
  if (error instanceof NoRelaxedSimdError) return { code: "", detail: error.message, hint: UNTICK };
  if (error instanceof UnreachableError) {
    const detail = "The service cannot be reached, and this page has not read all of the profiles yet.";
    return { code: "", detail, hint: error.hint };
  }
  return { code: "", detail: error instanceof Error ? error.message : String(error), hint: UNTICK };
}

scope.onmessage = async ({ data: { id, key, body } }) => {
  try {
    const predictor = await open(key);
    scope.postMessage({ id, answer: await predictor.predict(body) });
  } catch (error) {
    scope.postMessage({ id, problem: problemOf(error) });
  }
};
