import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { CommandError } from "./errors.ts";

const problemSchema = z.object({
  code: z.string(),
  detail: z.string(),
  hint: z.string(),
  /** With `overloaded`. */
  retryAfterSeconds: z.int().optional(),
});
const tasksSchema = z.object({
  tasks: z.array(z.object({ task: z.string(), labels: z.array(z.string()) })),
  next: z.string().nullable(),
});
const answerSchema = z.object({ predictions: z.array(z.object({ label: z.string() })) });

/** Times that a busy Worker is asked before that is an error. */
const MOST_TRIES = 20;

/** Tasks asked for at a time; the most that the API gives. */
const PAGE = "1000";

/** A text as the API takes it. */
export interface ApiInput {
  readonly text: string;
  readonly textPair?: string;
}

/** A running Worker. */
export interface Client {
  /** A task's labels, in the order of its logits. */
  labels(task: string): Promise<string[]>;
  /** A label for each input. */
  predict(request: { task: string; profile: string; inputs: ApiInput[] }): Promise<string[]>;
}

/** What to do about a problem: the Worker's own hint, unless it is about a header that a command has an option for. */
function hintOf({ code, hint }: z.infer<typeof problemSchema>): string {
  return code === "key_missing"
    ? "Give one that may predict: --key xpk_…, or the environment variable XPEFT_KEY."
    : hint;
}

/**
 * Talks to the Worker at `url`; every method throws CommandError if it does not answer as hoped. Where the Worker has too
 * much to do, it waits as long as it is told and asks again.
 *
 * @param key an API key, where the Worker wants one
 */
export function createClient(url: string, key?: string): Client {
  async function call<T>(schema: z.ZodType<T>, path: string, sent?: object, tries = 1): Promise<T> {
    const target = new URL(path, url);
    let response: Response;
    try {
      response = await fetch(target, {
        headers: {
          ...(key && { authorization: `Bearer ${key}` }),
          ...(sent && { "content-type": "application/json" }),
        },
        ...(sent && { method: "POST", body: JSON.stringify(sent) }),
      });
    } catch (cause) {
      throw new CommandError(`There is no answer from ${target.origin}.`, "Start the Worker with: npm start", {
        cause,
      });
    }
    const body: unknown = await response.json().catch(() => null);
    const parsed = schema.safeParse(body);
    if (response.ok && parsed.success) return parsed.data;
    const problem = problemSchema.safeParse(body);
    const seconds = problem.data?.retryAfterSeconds;
    if (seconds !== undefined && tries < MOST_TRIES) {
      await setTimeout(1000 * seconds);
      return await call(schema, path, sent, tries + 1);
    }
    if (problem.success) throw new CommandError(`${problem.data.code}: ${problem.data.detail}`, hintOf(problem.data));
    throw new CommandError(`${target} answered ${response.status} in no known form.`, "Is this an xpeft-edge Worker?");
  }

  return {
    async labels(task) {
      for (let after: string | null = ""; after !== null; ) {
        const query = new URLSearchParams({ limit: PAGE, after });
        const page: z.infer<typeof tasksSchema> = await call(tasksSchema, `/v1/tasks?${query}`);
        const found = page.tasks.find((one) => one.task === task);
        if (found) return found.labels;
        after = page.next;
      }
      throw new CommandError(`The Worker has no task "${task}".`, "Push it first: npm run xpeft -- push");
    },

    async predict(request) {
      const { predictions } = await call(answerSchema, "/v1/predict", request);
      if (predictions.length !== request.inputs.length) {
        throw new CommandError(
          `${request.inputs.length} texts were answered with ${predictions.length} labels.`,
          "Is this an xpeft-edge Worker of the same version?",
        );
      }
      return predictions.map(({ label }) => label);
    },
  };
}
