import type { Scope } from "../../src/auth/access.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { masksOf, profilesFile, taskFile } from "./rows.ts";
import type { Asking } from "./worker.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

const masks = Buffer.from(masksOf(5)).toString("base64");

/** A guarded route. */
interface Call {
  /** The one scope that it takes. */
  readonly scope: Scope;
  /** How it is asked about a task and a profile by their names; `row` is what a task is written with. */
  readonly call: (task: string, profile: string, row: NewTask) => [method: string, path: string, asking?: Asking];
}

/** Every guarded route of the API's description. */
export const CALLS: Record<string, Call> = {
  "post /v1/predict": {
    scope: "predict",
    call: (task, profile) => ["POST", "/v1/predict", { body: { task, profile, inputs: "a text" } }],
  },
  "post /v1/predict/stream": {
    scope: "predict",
    call: (task, profile) => [
      "POST",
      `/v1/predict/stream?task=${task}&profile=${profile}`,
      { body: '{"text":"a text"}\n', headers: NDJSON },
    ],
  },
  "post /v1/hf/{task}/{profile}": {
    scope: "predict",
    call: (task, profile) => ["POST", `/v1/hf/${task}/${profile}`, { body: { inputs: "a text" } }],
  },
  "post /v1/tei/{task}/{profile}/predict": {
    scope: "predict",
    call: (task, profile) => ["POST", `/v1/tei/${task}/${profile}/predict`, { body: { inputs: "a text" } }],
  },
  "get /v1/tasks": { scope: "predict", call: () => ["GET", "/v1/tasks"] },
  "get /v1/info": { scope: "predict", call: () => ["GET", "/v1/info"] },
  "get /v1/tasks/{task}": { scope: "write", call: (task) => ["GET", `/v1/tasks/${task}`] },
  "put /v1/tasks/{task}": {
    scope: "admin",
    call: (name, _, row) => ["PUT", `/v1/tasks/${name}`, { body: taskFile({ ...row, name }) }],
  },
  "delete /v1/tasks/{task}": { scope: "admin", call: (task) => ["DELETE", `/v1/tasks/${task}`] },
  "post /v1/tasks/{task}/import": {
    scope: "write",
    call: (task, id) => [
      "POST",
      `/v1/tasks/${task}/import`,
      { body: profilesFile(task, [{ id, masks: masksOf(4), labelBias: null }]), headers: NDJSON },
    ],
  },
  "get /v1/tasks/{task}/export": { scope: "write", call: (task) => ["GET", `/v1/tasks/${task}/export`] },
  "get /v1/profiles/{task}": { scope: "write", call: (task) => ["GET", `/v1/profiles/${task}`] },
  "get /v1/profiles/{task}/{profile}": {
    scope: "write",
    call: (task, profile) => ["GET", `/v1/profiles/${task}/${profile}`],
  },
  "put /v1/profiles/{task}/{profile}": {
    scope: "write",
    call: (task, profile) => ["PUT", `/v1/profiles/${task}/${profile}`, { body: { masks } }],
  },
  "delete /v1/profiles/{task}/{profile}": {
    scope: "write",
    call: (task, profile) => ["DELETE", `/v1/profiles/${task}/${profile}`, { headers: { "if-match": "99" } }],
  },
  "post /v1/profiles/{task}/{profile}/learn": {
    scope: "learn",
    call: (task, profile) => [
      "POST",
      `/v1/profiles/${task}/${profile}/learn`,
      { body: { examples: [] }, headers: { "if-match": "99" } },
    ],
  },
  "get /v1/profiles/{task}/{profile}/history": {
    scope: "write",
    call: (task, profile) => ["GET", `/v1/profiles/${task}/${profile}/history`],
  },
  "post /v1/profiles/{task}/{profile}/rollback": {
    scope: "write",
    call: (task, profile) => ["POST", `/v1/profiles/${task}/${profile}/rollback`, { body: { generation: 77 } }],
  },
  "post /v1/profiles/{task}/{profile}/token": {
    scope: "write",
    call: (task, profile) => ["POST", `/v1/profiles/${task}/${profile}/token`, { body: {} }],
  },
};

/** Statuses with which a call ends that was let through: it was done, or stopped at what is not there. */
export const LET_THROUGH = [200, 404, 409, 412];
