import { signal } from "@preact/signals";
import type { Predictions } from "../api/answers.ts";
import type { LocalReply, LocalRequest } from "../api/local-messages.ts";
import type { Predict } from "../api/predict.ts";
import { ApiError } from "../api/request.ts";
import { apiKey } from "../api/session.ts";

/** Whether texts are labelled on this device, and do not leave it. */
export const isOnDevice = signal(false);

/** The share of the model that has arrived, 0 to 1; null if it is not being loaded. */
export const download = signal<{ readonly share: number; readonly megabytes: number } | null>(null);

/** Labels texts on this device, with one key. */
interface Device {
  readonly key: string;
  predict(body: LocalRequest["body"]): Promise<Predictions>;
  /** Ends it. Predictions that are not there yet fail with this message. */
  stop(message: string): void;
}

let device: Device | undefined;

/** Ends the labelling on this device. The next text starts it again, and rows are read again. */
export function stopOnDevice(message: string): void {
  device?.stop(message);
  device = undefined;
}

function startDevice(key: string): Device {
  const worker = new Worker("/local.js", { type: "module" });
  const pending = new Map<number, PromiseWithResolvers<Predictions>>();
  let requests = 0;

  function take(id: number): PromiseWithResolvers<Predictions> | undefined {
    const one = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) download.value = null;
    return one;
  }
  worker.addEventListener("message", ({ data }: MessageEvent<LocalReply<Predictions>>) => {
    if ("download" in data) {
      const { bytes, totalBytes } = data.download;
      download.value = { share: bytes / totalBytes, megabytes: Math.round(totalBytes / 1e6) };
    } else if ("answer" in data) take(data.id)?.resolve(data.answer);
    else take(data.id)?.reject(new ApiError(data.problem));
  });
  worker.addEventListener("error", () =>
    stopOnDevice("The engine of this page does not start. Untick the box to send the text to the service."),
  );
  return {
    key,
    async predict(body) {
      const result = Promise.withResolvers<Predictions>();
      const request: LocalRequest = { id: ++requests, key, body };
      pending.set(request.id, result);
      worker.postMessage(request);
      return await result.promise;
    },
    stop(message) {
      worker.terminate();
      for (const id of [...pending.keys()]) take(id)?.reject(new Error(message));
    },
  };
}

/** Answers a body of `POST /v1/predict` on this device. @throws ApiError; or Error if it is stopped */
export const predictOnDevice: Predict = async (body) => {
  if (device?.key !== apiKey.value) stopOnDevice("The key has changed.");
  device ??= startDevice(apiKey.value);
  return await device.predict(body);
};
