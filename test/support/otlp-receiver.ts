import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A span as OTLP's JSON has it, with its attributes as an object. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What a collector has received. */
export interface OtlpReceiver {
  readonly url: string;
  /** The bodies of all requests. */
  readonly bodies: readonly string[];
  spans(): ReceivedSpan[];
  /** Returns the attributes of the services that sent spans. */
  services(): Readonly<Record<string, unknown>>[];
  close(): void;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface ExportedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly Attribute[];
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

const toObject = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Starts a collector of OpenTelemetry that accepts traces as JSON. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.url !== "/v1/traces" || request.headers["content-type"] !== "application/json") {
      return response.writeHead(415).end();
    }
    bodies.push(body);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }).listen(0, "localhost");
  await once(server, "listening");
  const resources = () => bodies.flatMap((body) => (JSON.parse(body) as Export).resourceSpans);
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    bodies,
    spans: () =>
      resources()
        .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
        .map(({ startTimeUnixNano, endTimeUnixNano, status, attributes, ...span }) => ({
          ...span,
          start: BigInt(startTimeUnixNano),
          end: BigInt(endTimeUnixNano),
          status: status.code,
          attributes: toObject(attributes),
        })),
    services: () => resources().map(({ resource }) => toObject(resource.attributes)),
    close: () => server.close(),
  };
}
