import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import { masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../../support/rows.ts";
import { type Problem, type Provocations, REQUEST, writeTask } from "./fixture.ts";

const masks = Buffer.from(masksOf(9)).toString("base64");

/** Requests that do not fit what is stored. */
export const rowProvocations = {
  empty_text: ({ worker }) => worker.predict({ ...REQUEST, inputs: " \n" }),

  text_too_long: ({ worker }) => worker.predict({ ...REQUEST, inputs: "word ".repeat(100), truncate: false }),

  unknown_task: ({ worker }) => worker.predict({ ...REQUEST, task: "nothing" }),

  unknown_profile: ({ worker }) => worker.predict({ ...REQUEST, profile: "nobody" }),

  unknown_generation: ({ worker }) =>
    worker.request("POST", "/v1/profiles/demo/demo-000/rollback", { body: { generation: 99 } }),

  generation_mismatch: ({ worker }) =>
    worker.request("PUT", "/v1/profiles/demo/demo-000", { body: { masks }, headers: { "if-match": '"99"' } }),

  task_has_profiles: ({ worker }) => worker.request("DELETE", "/v1/tasks/demo"),

  async bundle_mismatch({ worker, bundle }) {
    await worker.push(taskFor(bundle, { name: "elsewhere", bundle: "1".repeat(32) }), profilesOf(1));
    return await worker.predict({ ...REQUEST, task: "elsewhere" });
  },

  head_mismatch: ({ worker }) =>
    worker.request("PUT", "/v1/profiles/demo/demo-000", { body: { masks, headHash: "0".repeat(32) } }),

  mismatched_write: ({ worker }) => worker.request("PUT", "/v1/profiles/demo/demo-000", { body: { masks: "AAAA" } }),

  async write_conflict(fixture) {
    const { worker } = fixture;
    const task = await writeTask(fixture, "twice");
    const [first = "", second = ""] = profilesOf(2).map((profile) => profilesFile(task.name, [profile]));
    const upload = request(new URL(`/v1/tasks/${task.name}/import`, worker.url.href).href, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${worker.adminKey}` },
    });
    upload.write(first);
    const [response] = (await once(upload, "response")) as [IncomingMessage];
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    // Once a line is answered, the import has read the task and does not see the next write of it.
    await lines.next();
    await worker.request("PUT", `/v1/tasks/${task.name}`, { body: taskFile(task) });
    upload.end(second);
    const { value = "" } = await lines.next();
    return (JSON.parse(value) as { error: Problem }).error;
  },
} satisfies Provocations;
