import type { Question, Reply } from "../local/messages.ts";
import type { Predictions } from "../shared/answers.ts";
import { ApiError, apiKey } from "../shared/api.ts";
import { percent } from "../shared/text.ts";
import { elements } from "./elements.ts";

interface Waiting {
  readonly resolve: (answer: Predictions) => void;
  readonly reject: (error: unknown) => void;
}

let worker: Worker | undefined;
let questions = 0;
const waiting = new Map<number, Waiting>();

/** Ends the labelling on this device. It begins anew, with rows read again, at the next text. */
export function stopOnDevice(): void {
  worker?.terminate();
  worker = undefined;
  for (const { reject } of waiting.values()) reject(new Error("The choice of where texts are labelled has changed."));
  waiting.clear();
}

function settle(id: number, settleOne: (one: Waiting) => void): void {
  const one = waiting.get(id);
  waiting.delete(id);
  if (one) settleOne(one);
}

function start(): Worker {
  const started = new Worker("/local.js", { type: "module" });
  started.addEventListener("message", ({ data }: MessageEvent<Reply<Predictions>>) => {
    if ("download" in data) {
      const { bytes, of } = data.download;
      elements.status.textContent = `Loading the model: ${percent(bytes / of)} of ${Math.round(of / 1e6)} MB.`;
    } else if ("answer" in data) settle(data.id, ({ resolve }) => resolve(data.answer));
    else settle(data.id, ({ reject }) => reject(new ApiError(data.problem)));
  });
  started.addEventListener("error", () => {
    stopOnDevice();
    elements.onDevice.checked = false;
  });
  return started;
}

/** Answers a body of `POST /v1/predict` on this device. @throws ApiError */
export async function predictOnDevice(request: Question["request"]): Promise<Predictions> {
  worker ??= start();
  const question: Question = { id: ++questions, origin: location.origin, key: apiKey(), request };
  return await new Promise((resolve, reject) => {
    waiting.set(question.id, { resolve, reject });
    worker?.postMessage(question);
  });
}
