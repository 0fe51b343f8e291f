import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ProblemError } from "../../client/index.ts";
import { type Answer, compileKernels, type LocalPredictor, openLocalPredictor } from "../../client/local/index.ts";
import { readBundle } from "../../node/files.ts";
import { errorWithCode } from "../support/errors.ts";
import { adapterOf, profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

/** V8's exponential function differs between versions in the last digit, so logits are compared. */
const withoutScores = ({ score: _score, top, ...prediction }: Answer["predictions"][number]) => ({
  ...prediction,
  top: top?.map(({ label }) => label),
});

const readKernels = (name: string) => readFile(`src/model/kernels/${name}.wasm`);

describe("the local predictor", () => {
  let worker: RunningWorker;
  let local: LocalPredictor;
  /** Paths that were requested. */
  let paths: string[];

  const open = async (key: string): Promise<LocalPredictor> =>
    await openLocalPredictor(
      {
        url: worker.url,
        key,
        fetch: async (input, init) => {
          paths.push(new URL(input as URL).pathname);
          return await fetch(input, init);
        },
      },
      { kernels: compileKernels(await readKernels("encoder"), await readKernels("kernels")) },
    );

  beforeAll(async () => {
    paths = [];
    // The kernels' bits.
    worker = await startWorker({ vars: { ENGINE: "auto", CACHE_TTL_SECONDS: "0" } });
    await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2"), { adapter: adapterOf(1) }), profilesOf(3));
    local = await open(worker.adminKey);
  });
  beforeEach(() => {
    paths = [];
    local.forgetRows();
  });
  afterAll(() => worker.close());

  const inputs = ["demo-000", "demo-001", "demo-002"].flatMap((profile) =>
    ["A boat on the pond", "The gearbox is loud"].map((text) => ({ profile, text })),
  );
  const request = { task: "demo", inputs, logits: true, topK: 2 };

  it("answers as the service, bit for bit, and asks for each row once", async () => {
    const served = await (await worker.predict(request)).json<Answer>();
    const { timings, ...answer } = await local.predict(request);
    expect(answer).toMatchObject({ bundle: served.bundle, engine: served.engine });
    expect(answer.predictions.map(withoutScores)).toEqual(served.predictions.map(withoutScores));
    expect(timings.total).toBeGreaterThan(0);
    expect(paths.sort()).toEqual([
      "/v1/profiles/demo/demo-000",
      "/v1/profiles/demo/demo-001",
      "/v1/profiles/demo/demo-002",
      "/v1/tasks/demo",
    ]);
    paths = [];
    await local.predict(request);
    expect(paths).toEqual([]);
  });

  it("names a task and a profile that do not exist, and uses the default masks on request", async () => {
    const nobody = { task: "demo", inputs: [{ profile: "nobody", text: "A text" }] };
    await expect(local.predict(nobody)).rejects.toThrow(errorWithCode("unknown_profile"));
    await expect(local.predict({ ...nobody, onUnknownProfile: "default" })).resolves.toBeDefined();
    expect(paths.filter((path) => path.endsWith("/nobody"))).toHaveLength(1);
    await expect(local.predict({ ...nobody, task: "none" })).rejects.toThrow(errorWithCode("unknown_task"));
    const { predictions } = await local.predict({ ...nobody, onUnknownProfile: "default" });
    expect(predictions).toMatchObject([{ masks: "default" }]);
  });

  it("passes on what the service says of a key", async () => {
    await expect(open("xpk_nobody")).rejects.toThrow(ProblemError);
    const reading = await open(await worker.makeKey({ scopes: ["predict"] }));
    await expect(reading.predict(request)).rejects.toMatchObject({ code: "scope_missing" });
  });

  it("keeps an address's own path, accepts weak tags, and rejects what a path cannot hold", async () => {
    const key = worker.adminKey;
    const kernels = compileKernels(await readKernels("encoder"), await readKernels("kernels"));
    const proxied = await openLocalPredictor(
      {
        url: "http://own.invalid/service",
        key,
        fetch: async (input, init) => {
          const path = new URL(input as URL).pathname;
          expect(path).toMatch(/^\/service\/v1\//);
          const response = await fetch(new URL(path.slice("/service".length), worker.url), init);
          const headers = new Headers(response.headers);
          const etag = headers.get("etag");
          if (etag) headers.set("etag", `W/${etag}`);
          return new Response(await response.arrayBuffer(), { status: response.status, headers });
        },
      },
      { kernels },
    );
    const nobody = { task: "demo", inputs: [{ profile: "nobody", text: "A text" }] };
    const { predictions } = await proxied.predict({ ...nobody, onUnknownProfile: "default" });
    expect(predictions[0]?.generation).toBeGreaterThan(0);
    await expect(local.predict({ task: "demo", inputs: [{ profile: "..", text: "A text" }] })).rejects.toThrow(
      TypeError,
    );
  });

  it("reads a damaged file once more, past the browser's cache, and rejects one that stays damaged", async () => {
    const modes: (string | undefined)[] = [];
    const openDamaged = async (isDamaged: (cache: string | undefined) => boolean) =>
      await openLocalPredictor(
        {
          url: worker.url,
          key: worker.adminKey,
          fetch: async (input, init) => {
            const response = await fetch(input, init);
            if (!String(input).endsWith("/tail.0")) return response;
            modes.push(init?.cache);
            const bytes = new Uint8Array(await response.arrayBuffer());
            return new Response(isDamaged(init?.cache) ? bytes.map((byte) => byte ^ 1) : bytes);
          },
        },
        { kernels: compileKernels(await readKernels("encoder"), await readKernels("kernels")) },
      );
    await openDamaged((cache) => cache !== "no-cache");
    expect(modes).toEqual([undefined, "no-cache"]);
    await expect(openDamaged(() => true)).rejects.toThrow(errorWithCode("bundle_file_corrupt"));
  });

  it("says that the service cannot be reached", async () => {
    const away = openLocalPredictor({ url: "http://127.0.0.1:1" }, { kernels: new Promise(() => {}) });
    await expect(away).rejects.toMatchObject({ name: "UnreachableError", hint: expect.stringMatching(/connection/) });
  });

  it("names what a browser lacks", async () => {
    const kernels = compileKernels(new Uint8Array(), new Uint8Array(), false);
    await expect(kernels).rejects.toMatchObject({ name: "NoRelaxedSimdError", hint: expect.stringMatching(/service/) });
  });

  it("never uses a profile under another head than it was trained with", async () => {
    await local.predict({ ...request, inputs: inputs.slice(0, 2) });
    const other = taskFor(await readBundle("bundles/minilm-l6-v2"), { adapter: adapterOf(2) });
    await worker.push(other, profilesOf(3));
    const { predictions } = await local.predict(request);
    const served = await (await worker.predict(request)).json<Answer>();
    expect(predictions.map(withoutScores)).toEqual(served.predictions.map(withoutScores));
  });
});
