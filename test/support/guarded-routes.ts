import type { Scope } from "../../src/auth/access.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { masksOf, profilesFile, taskFile } from "./rows.ts";
import type { RequestOptions } from "./worker.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

const masks = Buffer.from(masksOf(5)).toString("base64");

/** Routes of the service itself, which concern no task. */
export const SERVICE_ROUTES = ["get /v1/info", "get /v1/bundle", "get /v1/bundle/{bundle}/{file}"];

/** A route that needs permission. */
interface GuardedRoute {
  /** The one scope that it accepts. */
  readonly scope: Scope;
  /** Returns a request for a task and a profile; `row` is the content of a written task. */
  readonly request: (
    task: string,
    profile: string,
    row: NewTask,
  ) => [method: string, path: string, options?: RequestOptions];
}

/** Every guarded route of the OpenAPI document. */
export const GUARDED_ROUTES: Record<string, GuardedRoute> = {
  "post /v1/predict": {
    scope: "predict",
    request: (task, profile) => ["POST", "/v1/predict", { body: { task, profile, inputs: "a text" } }],
  },
  "post /v1/predict/stream": {
    scope: "predict",
    request: (task, profile) => [
      "POST",
      `/v1/predict/stream?task=${task}&profile=${profile}`,
      { body: '{"text":"a text"}\n', headers: NDJSON },
    ],
  },
  "post /v1/fanout": {
    scope: "predict",
    request: (task, profile) => ["POST", "/v1/fanout", { body: { task, text: "a text", profiles: [profile] } }],
  },
  "post /v1/hf/{task}/{profile}": {
    scope: "predict",
    request: (task, profile) => ["POST", `/v1/hf/${task}/${profile}`, { body: { inputs: "a text" } }],
  },
  "post /v1/tei/{task}/{profile}/predict": {
    scope: "predict",
    request: (task, profile) => ["POST", `/v1/tei/${task}/${profile}/predict`, { body: { inputs: "a text" } }],
  },
  "get /v1/hf/{task}/{profile}/health": {
    scope: "predict",
    request: (task, profile) => ["GET", `/v1/hf/${task}/${profile}/health`],
  },
  "get /v1/hf/{task}/{profile}/info": {
    scope: "predict",
    request: (task, profile) => ["GET", `/v1/hf/${task}/${profile}/info`],
  },
  "get /v1/tei/{task}/{profile}/health": {
    scope: "predict",
    request: (task, profile) => ["GET", `/v1/tei/${task}/${profile}/health`],
  },
  "get /v1/tei/{task}/{profile}/info": {
    scope: "predict",
    request: (task, profile) => ["GET", `/v1/tei/${task}/${profile}/info`],
  },
  "get /v1/tasks": { scope: "predict", request: () => ["GET", "/v1/tasks"] },
  "get /v1/info": { scope: "predict", request: () => ["GET", "/v1/info"] },
  "get /v1/bundle": { scope: "predict", request: () => ["GET", "/v1/bundle"] },
  "get /v1/bundle/{bundle}/{file}": {
    scope: "predict",
    request: (_task, _profile, { bundle }) => ["GET", `/v1/bundle/${bundle}/tail.0`],
  },
  "get /v1/tasks/{task}": { scope: "write", request: (task) => ["GET", `/v1/tasks/${task}`] },
  "put /v1/tasks/{task}": {
    scope: "admin",
    request: (name, _, row) => ["PUT", `/v1/tasks/${name}`, { body: taskFile({ ...row, name }) }],
  },
  "post /v1/tasks/{task}/learn": {
    scope: "learn-task",
    request: (task) => ["POST", `/v1/tasks/${task}/learn`, { body: { examples: [] }, headers: { "if-match": "99" } }],
  },
  "delete /v1/tasks/{task}": { scope: "admin", request: (task) => ["DELETE", `/v1/tasks/${task}`] },
  "post /v1/tasks/{task}/import": {
    scope: "write",
    request: (task, id) => [
      "POST",
      `/v1/tasks/${task}/import`,
      { body: profilesFile(task, [{ id, masks: masksOf(4), labelBias: null }]), headers: NDJSON },
    ],
  },
  "get /v1/tasks/{task}/export": { scope: "write", request: (task) => ["GET", `/v1/tasks/${task}/export`] },
  "get /v1/profiles/{task}": { scope: "write", request: (task) => ["GET", `/v1/profiles/${task}`] },
  "get /v1/profiles/{task}/{profile}": {
    scope: "write",
    request: (task, profile) => ["GET", `/v1/profiles/${task}/${profile}`],
  },
  "put /v1/profiles/{task}/{profile}": {
    scope: "write",
    request: (task, profile) => ["PUT", `/v1/profiles/${task}/${profile}`, { body: { masks } }],
  },
  "delete /v1/profiles/{task}/{profile}": {
    scope: "write",
    request: (task, profile) => ["DELETE", `/v1/profiles/${task}/${profile}`, { headers: { "if-match": "99" } }],
  },
  "post /v1/profiles/{task}/{profile}/learn": {
    scope: "learn",
    request: (task, profile) => [
      "POST",
      `/v1/profiles/${task}/${profile}/learn`,
      { body: { examples: [] }, headers: { "if-match": "99" } },
    ],
  },
  "get /v1/profiles/{task}/{profile}/history": {
    scope: "write",
    request: (task, profile) => ["GET", `/v1/profiles/${task}/${profile}/history`],
  },
  "post /v1/profiles/{task}/{profile}/rollback": {
    scope: "write",
    request: (task, profile) => ["POST", `/v1/profiles/${task}/${profile}/rollback`, { body: { generation: 77 } }],
  },
  "post /v1/profiles/{task}/{profile}/token": {
    scope: "write",
    request: (task, profile) => ["POST", `/v1/profiles/${task}/${profile}/token`, { body: {} }],
  },
};

/** Statuses of a permitted request: it succeeded, or failed because a row is missing or differs. */
export const PERMITTED_STATUSES = [200, 404, 409, 412];
