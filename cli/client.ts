import { z } from "zod";
import { CommandError } from "./errors.ts";

const problemSchema = z.object({ code: z.string(), detail: z.string(), hint: z.string() });
const tasksSchema = z.object({ tasks: z.array(z.object({ name: z.string(), labels: z.array(z.string()) })) });
const healthSchema = z.object({ heapBytes: z.int() });
const answerSchema = z.object({ predictions: z.array(z.object({ label: z.string() })) });

/** A text as the API takes it. */
export interface ApiInput {
  readonly text: string;
  readonly textPair?: string;
}

/** A running Worker. */
export interface Client {
  /** A task's labels, in the order of its logits. */
  labels(task: string): Promise<string[]>;
  /** Bytes of the encoder's WebAssembly memory. */
  heapBytes(): Promise<number>;
  /** A label for each input. */
  predict(request: { task: string; profile: string; inputs: ApiInput[] }): Promise<string[]>;
}

/** Talks to the Worker at `url`; every method throws CommandError if it does not answer as hoped. */
export function createClient(url: string): Client {
  async function call<T>(schema: z.ZodType<T>, path: string, init?: RequestInit): Promise<T> {
    const target = new URL(path, url);
    let response: Response;
    try {
      response = await fetch(target, init);
    } catch (cause) {
      throw new CommandError(`There is no answer from ${target.origin}.`, "Start the Worker with: npm start", {
        cause,
      });
    }
    const body: unknown = await response.json().catch(() => null);
    const parsed = schema.safeParse(body);
    if (response.ok && parsed.success) return parsed.data;
    const problem = problemSchema.safeParse(body);
    if (problem.success) throw new CommandError(`${problem.data.code}: ${problem.data.detail}`, problem.data.hint);
    throw new CommandError(`${target} answered ${response.status} in no known form.`, "Is this an xpeft-edge Worker?");
  }

  return {
    async labels(task) {
      const { tasks } = await call(tasksSchema, "/v1/tasks");
      const found = tasks.find(({ name }) => name === task);
      if (!found) throw new CommandError(`The Worker has no task "${task}".`, "Push it first: npm run xpeft -- push");
      return found.labels;
    },

    async heapBytes() {
      return (await call(healthSchema, "/healthz")).heapBytes;
    },

    async predict(request) {
      const { predictions } = await call(answerSchema, "/v1/predict", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
      });
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
