import type { LocalReply, LocalRequest } from "../local/messages.ts";
import type { Predictions } from "../shared/answers.ts";
import { ApiError, apiKey } from "../shared/api.ts";
import { percent } from "../shared/text.ts";
import { elements } from "./elements.ts";

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
    if (pending.size === 0) elements.onDeviceStatus.textContent = "";
    return one;
  }
  worker.addEventListener("message", ({ data }: MessageEvent<LocalReply<Predictions>>) => {
    if ("download" in data) {
      const { bytes, totalBytes } = data.download;
      elements.onDeviceStatus.textContent = `Loading the model: ${percent(bytes / totalBytes)} of ${Math.round(totalBytes / 1e6)} MB.`;
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
export async function predictOnDevice(body: LocalRequest["body"]): Promise<Predictions> {
  const key = apiKey();
  if (device?.key !== key) stopOnDevice("The key has changed. Compare again.");
  device ??= startDevice(key);
  return await device.predict(body);
}
