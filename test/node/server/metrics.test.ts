import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEvents } from "../../support/events.ts";
import { makeKey } from "../../support/keys.ts";
import { freePort } from "../../support/processes.ts";
import { prometheusPath, startPrometheus } from "../../support/prometheus.ts";
import { databaseIn, openBeside, type ServeProcess, serveProcess } from "../../support/server.ts";
import { TICKETS } from "../../support/task-examples.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";

let folder: string;
let server: ServeProcess;
let metricsPort: number;
let key: string;

beforeAll(async () => {
  folder = await makeTempFolder("xpeft-metrics-");
  metricsPort = await freePort();
  const database = await openBeside(databaseIn(folder));
  key = await makeKey(database.db);
  database.client.close();
  const args = ["--demo", "--workers", "2", "--metrics-port", String(metricsPort)];
  server = await serveProcess({ folder, args });
});

afterAll(async () => {
  await server?.stop();
  await removeTempFolder(folder);
});

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  const json = { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers };
  return fetch(server.url + path, { method: "POST", headers: json, body: JSON.stringify(body) });
}

const predict = (inputs: string, parts: object = {}) =>
  post("/v1/predict", { task: "news", profile: "news-000", inputs, ...parts });

/** Sends requests on as many connections at once, which the processes take in turn. */
async function load(count: number): Promise<void> {
  const answers = Array.from({ length: count }, (_, number) => predict(`A headline number ${number % 10}`));
  for (const answer of await Promise.all(answers)) await answer.text();
}

const scrape = async () => await (await fetch(`http://localhost:${metricsPort}/metrics`)).text();

/** Returns a sample's value; undefined if there is none with exactly this text. */
function sampleOf(text: string, sample: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length));
}

const PREDICTED = 'xpeft_requests_total{method="POST",route="/v1/predict",status="200",code=""}';

describe("the metrics of xpeft serve --workers 2", () => {
  it("sum the processes' requests, texts, phases, caches and memory", async () => {
    await load(30);
    await expect.poll(async () => sampleOf(await scrape(), PREDICTED)).toBe(30);
    const text = await scrape();
    expect(sampleOf(text, "xpeft_processes")).toBe(2);
    expect(sampleOf(text, 'xpeft_texts_total{route="/v1/predict"}')).toBe(30);
    expect(sampleOf(text, 'xpeft_request_duration_seconds_count{route="/v1/predict"}')).toBe(30);
    for (const phase of ["masks", "tokenize", "merge", "encoder", "head"]) {
      expect(sampleOf(text, `xpeft_phase_duration_seconds_count{phase="${phase}"}`)).toBe(30);
    }
    const [hits = 0, misses = 0] = ["hits", "misses"].map((name) =>
      sampleOf(text, `xpeft_cache_${name}_total{cache="trunks"}`),
    );
    expect(hits).toBeGreaterThan(0);
    // The check of health reads a text too.
    expect(hits + misses).toBeGreaterThan(30);
    expect(sampleOf(text, "xpeft_queue_tokens")).toBe(0);
    expect(sampleOf(text, "xpeft_wasm_memory_bytes")).toBeGreaterThan(2 * 10 ** 7);
    expect(sampleOf(text, "process_resident_memory_bytes")).toBeGreaterThan(2 * 10 ** 8);
  });

  it("count learnings by how they end", async () => {
    expect((await readEvents(await post("/v1/tasks/desk/learn", { examples: TICKETS }))).at(-1)?.event).toBe("learnt");
    expect((await post("/v1/tasks/desk/learn", { examples: TICKETS.slice(0, 1) })).status).toBe(422);
    const learnings = (outcome: string) => `xpeft_learnings_total{kind="task",outcome="${outcome}"}`;
    await expect.poll(async () => sampleOf(await scrape(), learnings("learnt"))).toBe(1);
    expect(sampleOf(await scrape(), learnings("rejected"))).toBe(1);
    expect(sampleOf(await scrape(), learnings("failed"))).toBe(0);
  });

  it("have no text, id, address, key or path of a caller", async () => {
    const before = sampleOf(await scrape(), PREDICTED) ?? 0;
    await predict("zyxwvuts-text", { profile: "zyxwvuts-profile", onUnknownProfile: "default" });
    await predict("zyxwvuts-text", { profile: "zyxwvuts-profile" });
    await predict("zyxwvuts-text", { task: "zyxwvuts-task" });
    await fetch(`${server.url}/zyxwvuts-path?zyxwvuts=1`, { headers: { "x-request-id": "zyxwvuts-request" } });
    await fetch(`${server.url}/v1/profiles/news/zyxwvuts-profile`, { headers: { authorization: `Bearer ${key}` } });
    await fetch(`${server.url}/v1/predict`, { method: "ZYXWVUTS" }).catch(() => {});
    await fetch(`${server.url}/v1/predict`, { method: "PURGE" });
    await expect.poll(async () => sampleOf(await scrape(), PREDICTED)).toBe(before + 1);
    await expect.poll(scrape).toContain('method="_OTHER",route="/*",status="405"');
    const text = await scrape();
    expect(text).toContain('route="/v1/profiles/:task/:profile",status="404",code="unknown_profile"');
    expect(text).not.toMatch(/zyxwvuts|PURGE|127\.0\.0\.1|::1|headline|news-000/i);
    const [, id = ""] = key.split("_");
    expect(id).not.toBe("");
    expect(text).not.toContain(id);
  });

  it("are on their own port alone", async () => {
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
    const paths = ["/", "/v1/info", "/metrics/"].map((path) => fetch(`http://localhost:${metricsPort}${path}`));
    expect((await Promise.all(paths)).map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(server.output.stderr).toContain(`Metrics: http://localhost:${metricsPort}/metrics`);
  });

  it("are those that the documentation lists", async () => {
    const listed = (await readFile("docs/operations.md", "utf8")).matchAll(/^\| `(xpeft_\w+)` \|/gm);
    const served = (await scrape()).matchAll(/^# TYPE (xpeft_\w+) /gm);
    const names = (matches: Iterable<RegExpExecArray>) => Array.from(matches, ([, name]) => name).sort();
    expect(names(listed)).toEqual(names(served));
  });
});

interface Dashboard {
  readonly panels: { readonly title: string; readonly targets: { readonly expr: string }[] }[];
  readonly templating: { readonly list: { readonly name: string; readonly definition?: string }[] };
}

/** Values of the dashboard's variables, and of Grafana's. */
const VARIABLES: Readonly<Record<string, string>> = { job: "xpeft", route: ".+", __rate_interval: "10s" };

const render = (expression: string) =>
  expression.replace(/\$(\w+)/g, (_, name: string) => VARIABLES[name] ?? `unknown variable ${name}`);

describe.skipIf(!prometheusPath)("the dashboard (needs a Prometheus)", () => {
  it("has only expressions that answer with numbers under load", async () => {
    const { panels, templating }: Dashboard = JSON.parse(await readFile("docs/dashboard.json", "utf8"));
    const expressions = panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ title, expr: render(expr) })),
    );
    for (const { name, definition } of templating.list) {
      const [, metric, label] = /^label_values\((.+), (\w+)\)$/.exec(definition ?? "") ?? [];
      if (metric) expressions.push({ title: `$${name}`, expr: `count by (${label}) (${render(metric)})` });
    }
    expect(expressions.length).toBeGreaterThan(20);
    const prometheus = await startPrometheus(folder, metricsPort);
    const stopped = new AbortController();
    const loading = (async () => {
      while (!stopped.signal.aborted) {
        await load(4);
        await predict("A headline", { profile: "nobody" });
        await sleep(100);
      }
    })();
    try {
      const silent = async () => {
        const answers = await Promise.all(expressions.map(({ expr }) => prometheus.query(expr)));
        return expressions.filter((_, index) => !answers[index]?.some(({ value }) => Number.isFinite(value)));
      };
      await expect.poll(silent, { timeout: 60_000, interval: 1000 }).toEqual([]);
      expect(await prometheus.query('up{job="xpeft"}')).toMatchObject([{ value: 1 }]);
      expect(await prometheus.query("sum by (code) (xpeft_requests_total)")).toContainEqual(
        expect.objectContaining({ metric: { code: "unknown_profile" } }),
      );
      stopped.abort();
      await loading;
      // Prometheus holds its connection open, which must not hold the process.
      expect(await server.stop()).toBe(0);
    } finally {
      stopped.abort();
      await prometheus.stop();
    }
  });
});
