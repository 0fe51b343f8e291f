import { CommandError } from "../../errors.ts";

/** Optional peer dependencies: traces are off by default, and these are 10 MB. */
const PACKAGES = [
  "@opentelemetry/api",
  "@opentelemetry/core",
  "@opentelemetry/exporter-trace-otlp-http",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-trace",
];

/** Returns whether OpenTelemetry's own variables ask for traces. */
const areTracesWanted = (env: NodeJS.ProcessEnv): boolean =>
  env.OTEL_SDK_DISABLED?.toLowerCase() !== "true" &&
  Boolean(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT);

async function importPackages() {
  const [api, core, exporter, resources, sdk] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/core"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/sdk-trace"),
  ]);
  return { api, core, exporter, resources, sdk };
}

/** OpenTelemetry's packages. */
export type OpenTelemetry = Awaited<ReturnType<typeof importPackages>>;

/**
 * Loads OpenTelemetry if the environment asks for traces.
 *
 * @returns null if traces are off
 * @throws CommandError if a package is missing
 */
export async function loadOpenTelemetry(env: NodeJS.ProcessEnv): Promise<OpenTelemetry | null> {
  if (!areTracesWanted(env)) return null;
  return await importPackages().catch((cause: NodeJS.ErrnoException) => {
    // Deno and Bun have names of their own for this.
    if (!/MODULE_NOT_FOUND|Cannot find|not found|resolve/i.test(`${cause.code} ${cause.message}`)) throw cause;
    throw new CommandError(
      "OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, and OpenTelemetry's packages are not installed.",
      `Install them beside xpeft-edge, or unset the variable: npm install ${PACKAGES.join(" ")}`,
      { cause },
    );
  });
}
