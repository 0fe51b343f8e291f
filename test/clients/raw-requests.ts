import { expect, it } from "vitest";
import { runProgram } from "../support/processes.ts";
import { sendRaw } from "../support/raw-request.ts";
import type { startReferenceWorker } from "./reference-worker.ts";

type Reference = Awaited<ReturnType<typeof startReferenceWorker>>;

// Not ASCII: a chunk's size is in bytes.
const TEXT = "Die Sitzung fiel heute aus, Gott sei Dank für das schöne Wetter.";

const BODY = JSON.stringify({ inputs: TEXT });
const BYTES = Buffer.byteLength(BODY);

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const END = "0\r\n\r\n";
const HALVES = [BODY.slice(0, 30), BODY.slice(30)];

/** Returns a request's line and headers. */
const head = (lines: readonly string[]) => `${lines.join("\r\n")}\r\n\r\n`;

const PATH = "/v1/hf/demo/demo-000";
const POST = `POST ${PATH} HTTP/1.1`;
const JSON_TYPE = "Content-Type: application/json";
const CHUNKED = "Transfer-Encoding: chunked";

/** What clients send: captured from Java 17, written as the sources of the others do. `HOST` is the Worker's. */
const REQUESTS: readonly [client: string, ...pieces: string[]][] = [
  [
    "Java's HttpURLConnection with setChunkedStreamingMode",
    head([
      POST,
      JSON_TYPE,
      "User-Agent: Java/17.0.15",
      "Host: HOST",
      "Accept: text/html, image/gif, image/jpeg, */*; q=0.2",
      "Connection: keep-alive",
      CHUNKED,
    ]) +
      chunk(BODY) +
      END,
  ],
  [
    "Java's HttpClient, which offers HTTP/2 first",
    head([
      POST,
      "Connection: Upgrade, HTTP2-Settings",
      "Host: HOST",
      "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA",
      "Transfer-encoding: chunked",
      "Upgrade: h2c",
      "User-Agent: Java-http-client/17.0.15",
      JSON_TYPE,
    ]),
    chunk(BODY) + END,
  ],
  [
    "Go's net/http with a reader of unknown length",
    head([POST, "Host: HOST", "User-Agent: Go-http-client/1.1", CHUNKED, JSON_TYPE, "Accept-Encoding: gzip"]) +
      chunk(BODY),
    END,
  ],
  [
    "Python's requests with a generator",
    head([
      POST,
      "Host: HOST",
      "User-Agent: python-requests/2.34.2",
      "Accept-Encoding: gzip, deflate",
      "Accept: */*",
      "Connection: keep-alive",
      JSON_TYPE,
      CHUNKED,
    ]),
    ...HALVES.map(chunk),
    END,
  ],
  [
    "Rust's reqwest with a JSON body",
    head([POST, "content-type: application/json", "accept: */*", "host: HOST", `content-length: ${BYTES}`]) + BODY,
  ],
  [
    "a client that sends one byte in each chunk",
    head([POST, "Host: HOST", JSON_TYPE, CHUNKED]) + [...BODY].map(chunk).join("") + END,
  ],
  [
    "a client with sizes in capitals, chunk extensions and a trailer",
    `${head([POST, "Host: HOST", JSON_TYPE, CHUNKED])}${BYTES.toString(16).toUpperCase()};name=value\r\n${BODY}\r\n0\r\nX-Sum: 1\r\n\r\n`,
  ],
  [
    "HTTP/1.0, as ab and old proxies send it",
    head([POST.replace("1.1", "1.0"), "Host: HOST", JSON_TYPE, `Content-length: ${BYTES}`, "Accept: */*"]),
    BODY,
  ],
  [
    "Expect: 100-continue with a length",
    head([POST, "Host: HOST", JSON_TYPE, `Content-Length: ${BYTES}`, "Expect: 100-continue"]),
    BODY,
  ],
  [
    "Expect: 100-continue with a chunked body",
    head([POST, "Host: HOST", JSON_TYPE, CHUNKED, "Expect: 100-continue"]),
    ...HALVES.map(chunk),
    END,
  ],
];

/** Tests requests as clients put them on the wire. */
export function testRawRequests(reference: () => Reference): void {
  it.each(REQUESTS)("answers %s", async (_, ...pieces) => {
    const { worker, ranked } = reference();
    const answer = await sendRaw(
      worker.url,
      pieces.map((piece) => piece.replaceAll("HOST", worker.url.host)),
    );
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, [await ranked(TEXT, "scores")]]);
    // A client of HTTP/1.0 knows no chunked answers.
    if (pieces[0]?.includes("HTTP/1.0")) expect(answer.headers.get("transfer-encoding")).toBeUndefined();
  });

  it.each([
    ["a length", []],
    ["a chunked body", ["--header", "Transfer-Encoding: chunked"]],
    ["HTTP/1.0", ["--http1.0"]],
    ["an offer of HTTP/2", ["--http2"]],
    ["Expect: 100-continue", ["--header", "Expect: 100-continue"]],
  ])("answers curl with %s", async (_, options) => {
    const { worker, ranked } = reference();
    const request = [
      "--header",
      "content-type: application/json",
      "--data-binary",
      BODY,
      new URL(PATH, worker.url).href,
    ];
    const { code, stdout } = await runProgram("curl", ["--silent", ...options, ...request]);
    expect([code, JSON.parse(stdout)]).toEqual([0, [await ranked(TEXT, "scores")]]);
  });

  it("rejects a body of HTTP/1.0 without a length, whose end is the connection's", async () => {
    const { worker } = reference();
    const answer = await sendRaw(worker.url, [
      head([POST.replace("1.1", "1.0"), `Host: ${worker.url.host}`, JSON_TYPE]) + BODY,
    ]);
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([400, { code: "invalid_json" }]);
  });
}
