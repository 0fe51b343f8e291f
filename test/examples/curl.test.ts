import { afterAll, beforeAll, expect, it } from "vitest";
import { pushDemo } from "../support/demo.ts";
import { freePort, runProgram } from "../support/processes.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ vars: { PUBLIC_PREDICT: "false" } });
  await pushDemo(worker, "inbox");
});
afterAll(() => worker.close());

const runScript = async (key: string, url = worker.url.href.replace(/\/$/, "")) =>
  runProgram("bash", ["examples/curl.sh"], { env: { XPEFT_URL: url, XPEFT_KEY: key } });

const rowOf = async (): Promise<unknown> => (await worker.get("/v1/profiles/inbox/curl")).json();

it("goes from the first prediction to a learnt profile and its rollback, each time it runs", async () => {
  const key = await worker.makeKey({ scopes: ["predict", "learn", "write"] });
  for (const first of [1, 4]) {
    const { code, stdout, stderr } = await runScript(key);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const answers = Array.from(stdout.matchAll(/^(?:data: )?(\{.*\})$/gm), ([, json = ""]) => JSON.parse(json));
    const labels = answers.flatMap(({ predictions }) => predictions ?? []).map(({ label }) => label);
    // Two people; then the profile as it was learnt first, learnt anew, and rolled back.
    expect(labels).toEqual(["archive", "now", "archive", "now", "archive"]);
    expect(answers).toContainEqual(expect.objectContaining({ done: true, profiles: 4, matched: 4, failed: 0 }));
    const writes = answers.filter(({ profile }) => profile === "curl");
    expect(writes.map(({ generation }) => generation)).toEqual([first, first + 1, first + 2]);
    const [{ masks, labelBias }] = writes;
    expect(await rowOf()).toMatchObject({ generation: first + 2, masks, labelBias });
  }
});

it.each([
  ["learn", "predict", "One message under many profiles"],
  ["predict", "learn", "Learn it anew"],
] as const)(
  "ends at the first error, with its code and hint: a key with the scope %s alone",
  async (scope, missing, next) => {
    const { code, stdout } = await runScript(await worker.makeKey({ scopes: [scope] }));
    expect(code).not.toBe(0);
    expect(stdout).toContain('"code":"scope_missing"');
    expect(stdout).toContain(`--scope ${missing}`);
    expect(stdout).not.toContain(next);
  },
);

it("ends if nothing answers", async () => {
  const { code, stderr } = await runScript("none", `http://localhost:${await freePort()}`);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/Failed to connect|Couldn't connect/);
});
