import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../../support/otlp-receiver.ts";
import { freePort, run } from "../../support/processes.ts";
import { serveProcess } from "../../support/server.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";

const CALLER = { trace: "4bf92f3577b34da6a3ce929d0e0e4736", span: "00f067aa0ba902b7" };
const PHASES = ["masks", "tokenize", "merge", "encoder", "head"];

let folder: string;
let receiver: OtlpReceiver;

beforeAll(async () => {
  folder = await makeTempFolder("xpeft-traces-");
  receiver = await startOtlpReceiver();
});
afterAll(async () => {
  receiver.close();
  await removeTempFolder(folder);
});

function spanOf(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const span = spans.find((one) => one.name === name);
  if (!span) throw new Error(`There is no span ${name} among: ${spans.map((one) => one.name).join(", ")}`);
  return span;
}

describe("the traces of xpeft serve", () => {
  it("have a span for each request and phase, in the caller's trace, and are sent at the latest when it stops", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_RESOURCE_ATTRIBUTES: "deployment=test" };
    const port = await freePort();
    const server = await serveProcess({ folder, args: ["--demo", "--metrics-port", String(port)], env });
    const predict = (inputs: string, profile: string, headers: Record<string, string> = {}) =>
      fetch(`${server.url}/v1/predict`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ task: "news", profile, inputs }),
      });
    const traceparent = `00-${CALLER.trace}-${CALLER.span}-01`;
    const before = BigInt(Date.now()) * 1_000_000n;
    await predict("A zyxwvuts text", "news-000", { traceparent });
    await predict("A zyxwvuts text", "zyxwvuts-profile", { traceparent: `00-${CALLER.trace}-${CALLER.span}-00` });
    await fetch(`${server.url}/v1/profiles/news/zyxwvuts-profile?zyxwvuts=1`, { headers: { traceparent: "zyxwvuts" } });
    // Metrics and traces observe the same requests.
    expect(await (await fetch(`http://localhost:${port}/metrics`)).text()).toContain('code="unknown_profile"} 1');
    expect(await server.stop()).toBe(0);

    const spans = receiver.spans();
    const request = spanOf(spans, "POST /v1/predict");
    expect(request).toMatchObject({ traceId: CALLER.trace, parentSpanId: CALLER.span, kind: 2, status: 0 });
    expect(request.attributes).toEqual({
      "http.request.method": "POST",
      "http.route": "/v1/predict",
      "http.response.status_code": 200,
    });
    const phases = spans.filter(({ parentSpanId }) => parentSpanId === request.spanId);
    expect(phases.map(({ name }) => name)).toEqual(PHASES);
    const times = [before, request.start, ...phases.flatMap(({ start, end }) => [start, end]), request.end];
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));

    // The second request's caller did not sample its trace.
    expect(spans.filter(({ traceId }) => traceId === CALLER.trace)).toHaveLength(1 + PHASES.length);
    const read = spanOf(spans, "GET /v1/profiles/:task/:profile");
    expect(read.parentSpanId).toBeUndefined();
    expect(read.attributes).toMatchObject({ "http.response.status_code": 401, "xpeft.code": "key_missing" });
    expect(receiver.services()[0]).toMatchObject({ "service.name": "xpeft", deployment: "test" });
    expect(receiver.bodies.join()).not.toMatch(/zyxwvuts|127\.0\.0\.1|::1|localhost/);
  });

  it("need OpenTelemetry's packages, and say so where they are missing", async () => {
    const missing = `import { registerHooks } from "node:module";
      registerHooks({ resolve(name, context, next) {
        if (name !== "@opentelemetry/sdk-trace") return next(name, context);
        throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
      } });`;
    const hooks = `--import=data:text/javascript,${encodeURIComponent(missing)}`;
    for (const more of [[], ["--workers", "2"]]) {
      const args = ["cli/xpeft.ts", "serve", "--port", "0", "--database", `file:${folder}/none.db`, ...more];
      const { code, stderr } = await run([hooks, ...args], { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url });
      expect(code).toBe(1);
      expect(stderr.match(/OpenTelemetry's packages are not installed/g)).toHaveLength(1);
      expect(stderr).toMatch(/npm install (@opentelemetry\/[a-z-]+ ?){5}\n/);
    }
  });

  it("reject a sampler that is unknown", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    const args = ["cli/xpeft.ts", "serve", "--port", "0", "--database", `file:${folder}/none.db`];
    const named = await run(args, { ...env, OTEL_TRACES_SAMPLER: "jaeger_remote" });
    expect([named.code, named.stderr]).toEqual([1, expect.stringContaining('OTEL_TRACES_SAMPLER is "jaeger_remote".')]);
    const ratio = await run(args, { ...env, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" });
    expect([ratio.code, ratio.stderr]).toEqual([1, expect.stringContaining('OTEL_TRACES_SAMPLER_ARG is "2".')]);
  });
});
