import type { Sampler } from "@opentelemetry/sdk-trace";
import { CommandError } from "../../errors.ts";
import type { OpenTelemetry } from "./packages.ts";

/**
 * Returns the sampler that OpenTelemetry's variables name: by default, what the caller's trace says, and all others.
 *
 * @throws CommandError if a variable has another value
 */
export function samplerOf(
  { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler }: OpenTelemetry["sdk"],
  env: NodeJS.ProcessEnv,
): Sampler {
  const name = env.OTEL_TRACES_SAMPLER || "parentbased_always_on";
  const argument = env.OTEL_TRACES_SAMPLER_ARG || "1";
  const ratio = Number(argument);
  if (!(ratio >= 0 && ratio <= 1)) {
    throw new CommandError(`OTEL_TRACES_SAMPLER_ARG is "${argument}".`, "Give the ratio of traces, from 0 to 1.");
  }
  const roots: Readonly<Record<string, () => Sampler>> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  };
  const root = roots[name.replace("parentbased_", "")]?.();
  if (!root) {
    const names = Object.keys(roots);
    throw new CommandError(
      `OTEL_TRACES_SAMPLER is "${name}".`,
      `Use one of: ${[...names, ...names.map((one) => `parentbased_${one}`)].join(", ")}.`,
    );
  }
  return name.startsWith("parentbased_") ? new ParentBasedSampler({ root }) : root;
}
