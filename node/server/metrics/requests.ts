import { Counter, Histogram, type Registry } from "@prometheus-io/client";
import { PHASES } from "../../../app/http/server-timing.ts";
import type { Platform } from "../../../app/platform/platform.ts";
import type { RequestRecord } from "../../../app/platform/record.ts";
import { methodOf } from "../methods.ts";

/** A predicted text takes milliseconds; learning takes minutes. */
const REQUEST_SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Merging and heads take fractions of a millisecond. */
const PHASE_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

const LEARN_ROUTES: Readonly<Record<string, string>> = {
  "/v1/profiles/:task/:profile/learn": "profile",
  "/v1/tasks/:task/learn": "task",
};

const OUTCOMES = ["learnt", "failed", "rejected", "cancelled"] as const;

/** Returns how a learning ended. An error before its first event rejects it; a later one is an event of status 200. */
function outcomeOf({ status, code, aborted }: RequestRecord): (typeof OUTCOMES)[number] {
  if (aborted) return "cancelled";
  if (status >= 400) return "rejected";
  return code === undefined ? "learnt" : "failed";
}

/** Adds the metrics of requests to a registry. @returns what counts a request */
export function addRequestMetrics(registry: Registry): Platform["observe"] {
  const registers = [registry];
  const requests = new Counter({
    name: "xpeft_requests_total",
    help: "Requests, by method, route, status and error code.",
    labelNames: ["method", "route", "status", "code"],
    registers,
  });
  const durations = new Histogram({
    name: "xpeft_request_duration_seconds",
    help: "Time from a request's arrival to the end of its answer.",
    labelNames: ["route"],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const phases = new Histogram({
    name: "xpeft_phase_duration_seconds",
    help: "Time of a phase of a prediction, summed over the texts of its request.",
    labelNames: ["phase"],
    buckets: PHASE_SECONDS,
    registers,
  });
  const texts = new Counter({
    name: "xpeft_texts_total",
    help: "Texts that were answered or learnt from.",
    labelNames: ["route"],
    registers,
  });
  const learnings = new Counter({
    name: "xpeft_learnings_total",
    help: "Requests to learn a profile or a task, by how they ended.",
    labelNames: ["kind", "outcome"],
    registers,
  });
  // A series that begins at its first event has no increase.
  for (const kind of Object.values(LEARN_ROUTES)) {
    for (const outcome of OUTCOMES) learnings.inc({ kind, outcome }, 0);
  }

  return (record, timings) => {
    const { route, status, code = "" } = record;
    requests.inc({ method: methodOf(record), route, status, code });
    durations.observe({ route }, record.milliseconds / 1000);
    if (record.texts) texts.inc({ route }, record.texts);
    if (timings) for (const phase of PHASES) phases.observe({ phase }, timings[phase] / 1000);
    const kind = record.method === "POST" ? LEARN_ROUTES[route] : undefined;
    if (kind) learnings.inc({ kind, outcome: outcomeOf(record) });
  };
}
