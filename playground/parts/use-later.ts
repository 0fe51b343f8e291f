import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/**
 * Returns what a function computes while the browser goes on drawing; null until the first value is there.
 *
 * @param compute ends with an error if its signal is aborted: the inputs have changed, or the part is gone
 * @param inputs what the value depends on
 */
export function useLater<Value>(
  compute: (signal: AbortSignal) => Promise<Value>,
  inputs: readonly unknown[],
): Value | null {
  const computed = useSignal<Value | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    compute(controller.signal)
      .then((value) => (computed.value = value))
      .catch((error: unknown) => {
        if (!controller.signal.aborted) throw error;
      });
    return () => controller.abort();
  }, inputs);
  return computed.value;
}
