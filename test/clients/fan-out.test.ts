import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient, type FanOutCounts, type FanOutLine, type FanOutRequest, fanOut } from "../../client/index.ts";
import { readBundle } from "../../node/files.ts";
import { taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const COUNT = 1200;
const ROWS = Array.from({ length: COUNT }, (_, index) => ({
  id: `p-${String(index).padStart(4, "0")}`,
  masks: new Uint8Array(),
  labelBias: Uint8Array.of(index % 128, (5 * index) % 128, 0),
}));

let worker: RunningWorker;
let proxy: Server;
/** Lines after which the next answers are cut off, and whether the connection breaks then. */
let cuts: { lines: number; breaks: boolean }[] = [];
/** Called at a cut. */
let onCut = async () => {};

beforeAll(async () => {
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), ROWS);
  proxy = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const { "if-match": ifMatch } = request.headers;
    const headers = { ...(ifMatch !== undefined && { "if-match": ifMatch }) };
    const answer = await worker.request("POST", request.url ?? "", { body: String(body), headers });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    const cut = cuts.shift();
    const lines = (await answer.text()).split(/(?<=\n)/);
    if (!cut || cut.lines >= lines.length) return void response.end(lines.join(""));
    response.write(lines.slice(0, cut.lines).join(""));
    await onCut();
    if (!cut.breaks) return void response.end();
    response.write("{", () => response.destroy());
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await worker.close();
});

async function read(
  request: Partial<FanOutRequest>,
  url: string | URL = worker.url,
  onCounts: (counts: FanOutCounts) => void = () => {},
) {
  const whole = { task: "demo", text: "Nothing new today", profiles: "all" as const, ...request };
  const answer = fanOut(createClient(url, { key: worker.adminKey }), whole, onCounts);
  const lines: FanOutLine[] = [];
  let next = await answer.next();
  for (; !next.done; next = await answer.next()) lines.push(next.value);
  const counts: FanOutCounts = next.value;
  return { lines, counts };
}
const proxied = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

describe("fanOut of the client", () => {
  it("yields a line for each profile, and returns the counts", async () => {
    const { lines, counts } = await read({});
    expect(lines.map(({ profile }) => profile)).toEqual(ROWS.map(({ id }) => id));
    expect(counts).toMatchObject({ done: true, profiles: COUNT, matched: COUNT, failed: 0, next: null });
    const unknown = await read({ profiles: ["p-0003", "nobody"] });
    expect(unknown.lines).toMatchObject([{ profile: "p-0003" }, { error: { code: "unknown_profile" } }]);
    await expect(read({ task: "nothing" })).rejects.toMatchObject({ code: "unknown_task" });
    await expect(read({ label: "lowest" })).rejects.toMatchObject({ code: "unknown_label" });
  });

  it.each<[string, Partial<FanOutRequest>]>([
    ["all lines", {}],
    ["a label", { label: "low" }],
    ["a least score", { minScore: 0.6 }],
    ["the best of a label", { label: "middle", top: 30 }],
    ["ids", { profiles: ROWS.slice(0, 800).map(({ id }) => id) }],
  ])("has the same lines and counts if it is cut off anywhere: %s", async (_, request) => {
    const whole = await read(request);
    const cut = fc.record({ lines: fc.nat({ max: COUNT + 2 }), breaks: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { maxLength: 3 }), async (some) => {
        cuts = [...some];
        expect(await read(request, proxied())).toEqual(whole);
      }),
      {
        numRuns: 4,
        examples: [
          [
            [
              { lines: 1, breaks: false },
              { lines: 600, breaks: true },
            ],
          ],
        ],
      },
    );
  });

  it("has the best of all profiles, and their counts, if these take several requests", async () => {
    // A request reads 25,000. Ids rise, and so do scores, so the best ones are behind those.
    await worker.db.exec(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 25999) INSERT INTO profiles (task, id, masks, label_bias, generation, updated_at) SELECT 'demo', printf('q-%05d', i), x'', unhex(printf('00%02x00', i / 250)), 1, 1 FROM n`,
    );
    const profiles = { prefix: "q-" };
    const request = { profiles, label: "middle", minScore: 0 };
    const all = await read(request);
    expect(all.counts).toMatchObject({ profiles: 26_000, matched: 26_000, next: null });
    const matches = all.lines.flatMap((line) => ("score" in line ? [line] : []));
    const best = matches.sort((a, b) => b.score - a.score || (a.profile < b.profile ? -1 : 1));
    const sums: number[] = [];
    const whole = await read({ ...request, top: 300 }, worker.url, ({ profiles }) => sums.push(profiles));
    expect(sums).toEqual(Array.from({ length: 52 }, (_, page) => 500 * (page + 1)));
    expect(whole.lines).toEqual(best.slice(0, 300));
    expect(whole.counts).toEqual({ ...all.counts, matched: 300 });
    // 250 of them are in the second request.
    expect(best[0]?.profile).toBe("q-25750");
    cuts = [
      { lines: 40, breaks: true },
      { lines: 1000, breaks: false },
      { lines: 100, breaks: true },
    ];
    expect(await read({ ...request, top: 300 }, proxied())).toEqual(whole);
  });

  it("fails if it is cut off again and again, or if the task is written meanwhile", async () => {
    cuts = Array.from({ length: 10 }, () => ({ lines: 0, breaks: false }));
    await expect(read({}, proxied())).rejects.toThrow("ended before its last line");
    cuts = [{ lines: 10, breaks: true }];
    onCut = () => worker.db.exec("UPDATE tasks SET generation = generation + 1").then(() => {});
    await expect(read({}, proxied())).rejects.toMatchObject({ code: "generation_mismatch" });
  });
});
