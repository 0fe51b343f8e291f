import type { Context, Tracer } from "@opentelemetry/api";
import { PHASES } from "../../../app/http/server-timing.ts";
import type { Platform } from "../../../app/platform/platform.ts";
import type { AnswerTimings } from "../../../src/serving/predictor.ts";
import { readAbout } from "../../package.ts";
import { methodOf } from "../methods.ts";
import type { OpenTelemetry } from "./packages.ts";
import { samplerOf } from "./sampler.ts";

/** Spans of this process's requests. */
export interface Traces {
  readonly observe: Platform["observe"];
  /** Sends the spans that wait, and ends. */
  stop(): Promise<void>;
}

function createProvider({ exporter, resources, sdk }: OpenTelemetry, env: NodeJS.ProcessEnv) {
  const { version } = readAbout();
  const named = resources.resourceFromAttributes({ "service.name": "xpeft", "service.version": version });
  // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
  const detected = resources.detectResources({ detectors: [resources.envDetector] });
  return new sdk.TracerProvider({
    resource: resources.defaultResource().merge(named).merge(detected),
    sampler: samplerOf(sdk, env),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new exporter.OTLPTraceExporter() })],
  });
}

/** Writes what OpenTelemetry complains about into the log: a collector that does not answer, for example. */
function logComplaints({ api }: OpenTelemetry): void {
  const log = (level: string) => (message: string) => console.error(JSON.stringify({ level, traces: message }));
  const ignore = () => {};
  api.diag.setLogger(
    { error: log("error"), warn: log("warn"), info: ignore, debug: ignore, verbose: ignore },
    api.DiagLogLevel.WARN,
  );
}

/** Adds a span for each phase of a prediction: one after the other, as the time of other requests is in no phase. */
function addPhases(tracer: Tracer, parent: Context, timings: AnswerTimings, endMs: number): void {
  let startTime = endMs - timings.total;
  for (const phase of PHASES) {
    const endTime = startTime + timings[phase];
    tracer.startSpan(phase, { startTime }, parent).end(endTime);
    startTime = endTime;
  }
}

/**
 * Returns what sends a span of each request to a collector of OpenTelemetry, with no URL, text, id or address. The span is
 * made when the request has ended, which costs the request nothing.
 *
 * @throws CommandError if a variable of the sampler is wrong
 */
export function startTraces(packages: OpenTelemetry, env: NodeJS.ProcessEnv): Traces {
  const { api, core } = packages;
  logComplaints(packages);
  const provider = createProvider(packages, env);
  const tracer = provider.getTracer("xpeft");
  const propagator = new core.W3CTraceContextPropagator();
  return {
    observe(record, timings, header) {
      const endMs = performance.timeOrigin + performance.now();
      const caller = propagator.extract(api.ROOT_CONTEXT, null, { get: (_, name) => header(name), keys: () => [] });
      const { route, status, code } = record;
      const method = methodOf(record);
      const span = tracer.startSpan(
        `${method} ${route}`,
        {
          kind: api.SpanKind.SERVER,
          startTime: endMs - record.milliseconds,
          attributes: {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            ...(code !== undefined && { "xpeft.code": code, ...(status >= 500 && { "error.type": code }) }),
          },
        },
        caller,
      );
      if (status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
      if (timings) addPhases(tracer, api.trace.setSpan(caller, span), timings, endMs);
      span.end(endMs);
    },
    stop: () => provider.shutdown(),
  };
}
