import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readBundle } from "../../../node/files.ts";
import { eventsOf, readEvents } from "../../support/events.ts";
import { examplesOf } from "../../support/examples.ts";
import { masksOf, profilesOf, taskFor } from "../../support/rows.ts";
import { type RequestOptions, type RunningWorker, startWorker } from "../../support/worker.ts";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
});
afterAll(() => worker.close());

beforeEach(async () => {
  const target = await readBundle("bundles/minilm-l6-v2");
  await worker.push(taskFor(target), profilesOf(3));
  const ratings = { name: "ratings", labels: ["1", "2", "3"] };
  await worker.push(taskFor(target, ratings), profilesOf(1));
});

const learn = (body: object, options: RequestOptions = {}, path = "demo/demo-000") =>
  worker.request("POST", `/v1/profiles/${path}/learn`, { body: { start: "default", epochs: 4, ...body }, ...options });

interface Row {
  generation: number;
}

interface Answer {
  predictions: { label: string; generation: number }[];
}

const rowOf = async (profile = "demo-000") => (await (await worker.get(`/v1/profiles/demo/${profile}`)).json()) as Row;

const predict = async (inputs: string | string[]) =>
  (await (await worker.predict({ task: "demo", profile: "demo-000", inputs })).json()) as Answer;

const EXAMPLES = examplesOf(10);
const FEW = EXAMPLES.slice(0, 6);
/** The task's default masks label them right, so there is nothing to learn. */
const NO_GAIN = examplesOf(2, ["low", "middle"]);

describe("POST /v1/profiles/{task}/{profile}/learn", () => {
  it("streams progress, writes the profile, and serves it from then on", async () => {
    const response = await learn({ examples: EXAMPLES, epochs: 12 });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = await readEvents(response);
    const last = events.pop();
    expect(events.length).toBeGreaterThan(2);
    for (const { event, data } of events) {
      expect(event).toBe("progress");
      expect(data).toMatchObject({ phase: expect.stringMatching(/^(start|left-out|all)$/), done: expect.any(Number) });
    }
    const dones = events.map(({ data }) => Number(data.done));
    expect(dones).toEqual([...dones].sort((a, b) => a - b));
    expect(last).toMatchObject({
      event: "learnt",
      data: { task: "demo", profile: "demo-000", created: false, start: null, leftOut: { texts: 10 } },
    });
    expect(last?.data.kept).not.toBe("start");
    expect(await rowOf()).toMatchObject({
      generation: last?.data.generation,
      masks: last?.data.masks,
      labelBias: last?.data.labelBias,
    });
    const inputs = EXAMPLES.map(({ text }) => text);
    const { predictions } = await predict(inputs);
    const right = predictions.filter(({ label }, place) => label === EXAMPLES[place]?.label);
    expect(right.length).toBeGreaterThanOrEqual(7);
  });

  it("creates a new profile", async () => {
    const events = await readEvents(await learn({ examples: FEW }, {}, "demo/new-one"));
    expect(events.at(-1)).toMatchObject({ event: "learnt", data: { generation: 1, created: true } });
    expect(await rowOf("new-one")).toMatchObject({ generation: 1 });
    await worker.request("DELETE", "/v1/profiles/demo/new-one");
  });

  it('leaves an existing profile as it is if the start "auto" gains nothing, unless it is forced', async () => {
    const before = await rowOf("demo-002");
    const auto = async (body: object) =>
      (await readEvents(await learn({ examples: NO_GAIN, start: "auto", ...body }, {}, "demo/demo-002"))).at(-1)?.data;
    const left = await auto({});
    expect(left).toMatchObject({ generation: null, created: false, notWritten: "no-gain", leftOut: { gained: false } });
    expect(await auto({ dryRun: true })).toMatchObject({ notWritten: "no-gain" });
    expect(await rowOf("demo-002")).toEqual(before);
    const forced = await auto({ force: true });
    expect(forced).toMatchObject({ generation: before.generation + 1, notWritten: null, masks: left?.masks });
    expect(await rowOf("demo-002")).toMatchObject({ generation: before.generation + 1, masks: left?.masks });
    const created = await readEvents(await learn({ examples: NO_GAIN, start: "auto" }, {}, "demo/no-gain"));
    expect(created.at(-1)?.data).toMatchObject({ generation: 1, created: true, notWritten: null });
    await worker.request("DELETE", "/v1/profiles/demo/no-gain");
  });

  it("gives the same profile for the same seed, and writes nothing on a dry run", async () => {
    const before = await rowOf();
    const body = { examples: FEW, epochs: 10, dryRun: true };
    const [one, again, other] = [
      await readEvents(await learn(body)),
      await readEvents(await learn({ ...body, seed: 0 })),
      await readEvents(await learn({ ...body, seed: 1 })),
    ].map((events) => events.at(-1)?.data);
    expect(one).toMatchObject({ generation: null, created: false, notWritten: "dry-run" });
    const told = { seconds: 0, bookmark: null };
    expect({ ...again, ...told }).toEqual({ ...one, ...told });
    // Another seed holds out other examples.
    expect(other?.leftOut).not.toEqual(one?.leftOut);
    expect(await rowOf()).toEqual(before);
  });

  it("starts from a clearly better profile, else from the default, or from the requested profile", async () => {
    const asTheDefault = profilesOf(3).map((profile) => ({ ...profile, masks: masksOf(0) }));
    await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), asTheDefault);
    const auto = await readEvents(await learn({ examples: EXAMPLES, epochs: 1, start: "auto", dryRun: true }));
    expect(auto.at(-1)?.data.start).toBeNull();
    await readEvents(await learn({ examples: EXAMPLES, epochs: 12 }, {}, "demo/demo-001"));
    const alike = await readEvents(await learn({ examples: EXAMPLES, epochs: 1, start: "auto" }, {}, "demo/new-one"));
    expect(alike.at(-1)?.data.start).toBe("demo-001");
    await worker.request("DELETE", "/v1/profiles/demo/new-one");
    const own = await readEvents(await learn({ examples: FEW, epochs: 1, start: "own", dryRun: true }));
    expect(own.at(-1)?.data.start).toBe("demo-000");
    const named = { examples: FEW, epochs: 1, start: { profile: "demo-001" }, dryRun: true };
    const other = await readEvents(await learn(named));
    expect(other.at(-1)?.data.start).toBe("demo-001");
    const nobody = await learn({ examples: EXAMPLES, start: { profile: "nobody" } });
    expect(await nobody.json()).toMatchObject({ code: "unknown_profile" });
    const first = await learn({ examples: EXAMPLES, start: "own" }, {}, "demo/nobody");
    expect(await first.json()).toMatchObject({ code: "unknown_profile" });
  });

  it("learns scores that lie between two labels", async () => {
    const examples = examplesOf(6).map(({ text }, place) => ({ text, label: [1, 2.5, "3", 1.2, 2, "2.9"][place] }));
    const events = await readEvents(await learn({ examples, epochs: 2, dryRun: true }, {}, "ratings/demo-000"));
    expect(events.at(-1)).toMatchObject({ event: "learnt", data: { leftOut: { texts: 6 } } });
    const beyond = await learn({ examples: [...examples, { text: "too good", label: 3.5 }] }, {}, "ratings/demo-000");
    expect(await beyond.json()).toMatchObject({ code: "unknown_label" });
  });

  it("answers predictions meanwhile, with the old generation until the new one is written", async () => {
    const before = await rowOf();
    const events = eventsOf(await learn({ examples: EXAMPLES, epochs: 8 }));
    await events.next();
    const generations = [];
    let last = await events.next();
    while (!last.done && last.value.event === "progress") {
      generations.push((await predict("a river")).predictions[0]?.generation);
      last = await events.next();
    }
    // The comparison of candidates and the last training are both reported, however fast the machine is.
    expect(generations.length).toBeGreaterThan(1);
    // The last prediction may arrive after the profile is written.
    expect(new Set(generations.slice(0, -1))).toEqual(new Set([before.generation]));
    expect((await predict("a river")).predictions[0]?.generation).toBe(before.generation + 1);
  });

  it("leaves the row unchanged after a concurrent write", async () => {
    // Learning takes far longer than the write.
    const events = eventsOf(await learn({ examples: EXAMPLES, epochs: 15 }));
    await events.next();
    const masks = Buffer.from(masksOf(77)).toString("base64");
    await worker.request("PUT", "/v1/profiles/demo/demo-000", { body: { masks } });
    const rest = await Array.fromAsync(events);
    expect(rest.at(-1)).toMatchObject({ event: "problem", data: { code: "generation_mismatch" } });
    expect(await rowOf()).toMatchObject({ masks });
  });

  it("is rejected if the row is at another generation than expected", async () => {
    const rejected = await learn({ examples: EXAMPLES }, { headers: { "if-none-match": "*" } });
    expect(rejected.status).toBe(412);
    expect(await rejected.json()).toMatchObject({ code: "generation_mismatch" });
  });

  it.each([
    ["after the first event", async (response: Promise<Response>) => void (await eventsOf(await response).next())],
    ["before it", async (response: Promise<Response>) => void (await response)],
  ])(
    "is cancelled if the caller disconnects %s: the row is unchanged, and the next learning can start",
    async (_, until) => {
      const before = await rowOf();
      const abort = new AbortController();
      const response = fetch(new URL("/v1/profiles/demo/demo-000/learn", worker.url), {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${worker.adminKey}` },
        body: JSON.stringify({ examples: examplesOf(20), epochs: 60, start: "default" }),
        signal: abort.signal,
      });
      response.catch(() => {});
      worker.harness.clearLogs();
      await until(response);
      abort.abort();
      const again = async () => {
        const next = await learn({ examples: FEW, epochs: 1, dryRun: true });
        return next.status === 503 ? "busy" : (await readEvents(next)).at(-1)?.event;
      };
      await expect.poll(again, { interval: 250 }).toBe("learnt");
      expect(await rowOf()).toEqual(before);
      const lines = () => worker.harness.getLogs().map(({ message }) => JSON.parse(message));
      await expect.poll(() => lines().filter(({ aborted }) => aborted)).toHaveLength(1);
      expect(lines().filter(({ level }) => level === "error")).toEqual([]);
    },
  );

  it.each<[string, object, string]>([
    ["no examples", { examples: [] }, "too_few_examples"],
    ["one example", { examples: EXAMPLES.slice(0, 1) }, "too_few_examples"],
    ["ten thousand", { examples: examplesOf(10_000) }, "payload_too_large"],
    ["more than are learnt from", { examples: examplesOf(201) }, "too_many_examples"],
    [
      "more tokens than learning accepts",
      { examples: examplesOf(200).map((one) => ({ ...one, text: one.text.repeat(9) })) },
      "too_many_examples",
    ],
    ["one label", { examples: examplesOf(4, ["low", "low"]) }, "one_label"],
    ["an unknown label", { examples: examplesOf(4, ["low", "none of them"]) }, "unknown_label"],
    ["an empty text", { examples: [...EXAMPLES, { text: " ", label: "low" }] }, "empty_text"],
    ["a huge text", { examples: [...EXAMPLES, { text: "river ".repeat(50_000), label: "low" }] }, "payload_too_large"],
    ["half a surrogate pair", { examples: [...EXAMPLES, { text: "\ud800", label: "low" }] }, "invalid_request"],
    ["more work than there is time", { examples: examplesOf(150), epochs: 1000 }, "learning_too_long"],
    ["no passes", { examples: EXAMPLES, epochs: 0 }, "invalid_request"],
    ["a field that it does not know", { examples: EXAMPLES, rate: 1 }, "invalid_request"],
  ])("reports %s, and leaves the row unchanged", async (_, body, code) => {
    const before = await rowOf();
    const response = await learn(body);
    expect(await response.json()).toMatchObject({ code });
    expect(await rowOf()).toEqual(before);
  });
});
