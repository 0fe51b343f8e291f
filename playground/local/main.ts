// A web worker that labels texts on this device. Each worker has one key.
import {
  type Answer,
  compileKernels,
  type LocalPredictor,
  NoRelaxedSimdError,
  openLocalPredictor,
  ProblemError,
  XpeftError,
} from "../../client/local/index.ts";
import encoder from "../../src/model/kernels/encoder.wasm";
import kernels from "../../src/model/kernels/kernels.wasm";
import type { Problem } from "../shared/answers.ts";
import type { Question, Reply } from "./messages.ts";

/** What the project's types, which are workerd's, lack of a web worker. */
interface WebWorker {
  postMessage(reply: Reply<Answer>): void;
  onmessage: (event: { readonly data: Question }) => void;
}
const page = globalThis as unknown as WebWorker;

/** esbuild puts a file's bytes where a Worker imports a module. */
const bytesOf = (file: unknown) => file as Uint8Array;

let opening: Promise<LocalPredictor> | undefined;

/** Opens the predictor; after a failure, again. */
async function open({ origin, key }: Question): Promise<LocalPredictor> {
  opening ??= openLocalPredictor(
    { url: origin, ...(key !== "" && { key }) },
    {
      kernels: compileKernels(bytesOf(encoder), bytesOf(kernels)),
      onDownload: (download) => page.postMessage({ download }),
    },
  );
  return await opening.catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
}

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof XpeftError) return { code: error.code, detail: error.message, hint: "" };
  if (error instanceof NoRelaxedSimdError) {
    return { code: "", detail: error.message, hint: "Untick the box: the service then labels the text." };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { code: "", detail, hint: "Check your connection, then try again." };
}

page.onmessage = async ({ data: question }) => {
  const { id, request } = question;
  try {
    const predictor = await open(question);
    page.postMessage({ id, answer: await predictor.predict(request) });
  } catch (error) {
    page.postMessage({ id, problem: problemOf(error) });
  }
};
