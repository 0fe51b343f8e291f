import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { readBundle } from "../../node/files.ts";
import { taskFileFields } from "../../src/profiles/file-format.ts";
import { examplesOf } from "../support/examples.ts";
import { hostileBytes, hostileJson, hostileText } from "../support/hostile.ts";
import { masksOf, profilesFile, profilesOf, taskFor } from "../support/rows.ts";

/** The task of the requests. */
export const task = taskFor(await readBundle("bundles/minilm-l6-v2"));

/** A request to send. */
export interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string | Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

const JSON_TYPE = "application/json";
const NDJSON_TYPE = "application/x-ndjson";
/** A valid text. */
export const TEXT = "Senate passes bill after long night";
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const encode = (text: string) => new TextEncoder().encode(text);

/** A valid request for each route with a body. Writes use separate names, so that other requests find their rows. */
const VALID: readonly { readonly method: string; readonly path: string; readonly body: object }[] = [
  { method: "POST", path: "/v1/predict", body: { task: "demo", profile: "demo-000", inputs: [TEXT], topK: 2 } },
  {
    method: "POST",
    path: "/v1/predict",
    body: { task: "demo", inputs: [{ profile: "demo-001", text: TEXT, textPair: "b" }], truncate: false, logits: true },
  },
  {
    method: "POST",
    path: "/v1/hf/demo/demo-000",
    body: { inputs: TEXT, parameters: { top_k: 2, truncation: "only_first", max_length: 9, padding: true } },
  },
  { method: "POST", path: "/v1/tei/demo/demo-000/predict", body: { inputs: [[TEXT], ["a", "b"]], truncate: true } },
  {
    method: "POST",
    path: "/v1/fanout",
    body: {
      task: "demo",
      text: TEXT,
      profiles: ["demo-000", "demo-001"],
      label: "low",
      minScore: 0.1,
      after: "demo-000",
    },
  },
  {
    method: "POST",
    path: "/v1/fanout",
    body: { task: "demo", text: TEXT, profiles: { prefix: "demo" }, top: 2, label: "low" },
  },
  { method: "PUT", path: "/v1/tasks/fuzzed", body: { ...taskFileFields({ ...task, name: "fuzzed" }) } },
  {
    method: "PUT",
    path: "/v1/profiles/demo/fuzzed",
    body: { task: "demo", profile: "fuzzed", masks: base64(masksOf(3)), labelBias: base64(Uint8Array.of(1, 2, 3)) },
  },
  { method: "POST", path: "/v1/profiles/demo/demo-002/rollback", body: { generation: 1 } },
  { method: "POST", path: "/v1/profiles/demo/demo-003/token", body: { ttlSeconds: 60, carry: "all" } },
  {
    method: "POST",
    path: "/v1/profiles/demo/learnt/learn",
    body: { examples: examplesOf(2), start: "default", epochs: 1, seed: 1, dryRun: true },
  },
];

const STREAMS = [
  { path: "/v1/predict/stream?task=demo&profile=demo-000", line: JSON.stringify({ text: TEXT, profile: "demo-001" }) },
  { path: "/v1/tasks/demo/import", line: profilesFile("demo", [{ ...first(), id: "imported" }]).trim() },
];

function first() {
  const [profile] = profilesOf(1);
  if (!profile) throw new RangeError("there is none");
  return profile;
}

/** Values that a header can hold. */
const oddHeader = hostileText.map((text) => text.replaceAll(/[^\u0020-\u007e\u00a1-\u00ff]/g, "").trim());

const oddHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({}) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          "if-match",
          "if-none-match",
          "x-d1-bookmark",
          "x-request-id",
          "cache-control",
          "origin",
          "accept",
          "cookie",
          "x-forwarded-for",
          "cf-connecting-ip",
        ),
        oddHeader,
      )
      .map(([name, value]) => ({ [name]: value })),
  },
  { weight: 1, arbitrary: oddHeader.map((value) => ({ authorization: `Bearer ${value}` })) },
  { weight: 1, arbitrary: oddHeader.map((value) => ({ "content-type": value })) },
  { weight: 1, arbitrary: fc.constantFrom("gzip", "br", "identity, gzip").map((by) => ({ "content-encoding": by })) },
);

const jsonRequests: fc.Arbitrary<HostileRequest> = fc.constantFrom(...VALID).chain(({ method, path, body }) =>
  fc.record({
    method: fc.constant(method),
    path: fc.constant(path),
    type: fc.constant(JSON_TYPE),
    body: fc.oneof(
      { weight: 5, arbitrary: hostileJson(body) },
      { weight: 1, arbitrary: hostileBytes(encode(JSON.stringify(body))) },
    ),
    headers: oddHeaders,
  }),
);

const streamRequests: fc.Arbitrary<HostileRequest> = fc.constantFrom(...STREAMS).chain(({ path, line }) =>
  fc.record({
    method: fc.constant("POST"),
    path: fc.constant(path),
    type: fc.constant(NDJSON_TYPE),
    body: fc.oneof(
      fc.array(hostileJson(JSON.parse(line)), { maxLength: 5 }).map((lines) => lines.join("\n")),
      hostileBytes(encode(`${line}\n${line}\n`)),
    ),
    headers: oddHeaders,
  }),
);

/** Paths with hostile names and queries. */
const pathRequests: fc.Arbitrary<HostileRequest> = fc
  .tuple(
    fc.constantFrom("GET", "PUT", "DELETE", "POST", "HEAD", "OPTIONS", "PATCH"),
    fc.constantFrom(
      "/v1/tasks/%",
      "/v1/profiles/%",
      "/v1/profiles/demo/%",
      "/v1/profiles/demo/%/history",
      "/v1/tasks/%/export",
      "/%",
    ),
    hostileText,
    fc.option(fc.tuple(fc.constantFrom("limit", "after", "prefix", "profiles", "dryRun", "__proto__"), hostileText), {
      nil: null,
    }),
  )
  .map(([method, pattern, name, query]) => {
    const path = pattern.replace("%", () => encodeURIComponent(name.toWellFormed()));
    const search = query ? `?${query[0]}=${encodeURIComponent(query[1].toWellFormed())}` : "";
    return { method, path: `${path}${search}`, type: "", body: null, headers: {} };
  });

/** Up to ten megabytes of blanks, compressed to a few kilobytes, with or without the header that says so. */
const bombs: fc.Arbitrary<HostileRequest> = fc
  .tuple(fc.integer({ min: 1, max: 10 }), fc.constantFrom<Record<string, string>>({}, { "content-encoding": "gzip" }))
  .map(([megabytes, headers]) => ({
    method: "POST",
    path: "/v1/predict",
    type: JSON_TYPE,
    body: gzipSync(Buffer.alloc(megabytes * 2 ** 20, " ")),
    headers,
  }));

/** Requests for all routes, most of them valid except for one part. */
export const requests: fc.Arbitrary<HostileRequest> = fc.oneof(
  { weight: 12, arbitrary: jsonRequests },
  { weight: 4, arbitrary: streamRequests },
  { weight: 4, arbitrary: pathRequests },
  { weight: 1, arbitrary: bombs },
);
