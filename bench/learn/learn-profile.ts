import { mean } from "d3-array";
import type { Start } from "../../src/learn/reader.ts";
import type { Task } from "../../src/profiles/task.ts";
import type { Engine } from "../../src/serving/engine.ts";
import type { LabelledText } from "./files.ts";

/** A profile that was learnt. */
export interface LearntNewcomer {
  /** Accuracy, or mean absolute error, on its test texts. */
  readonly figure: number;
  readonly kept: string;
  /** Of its masks and label bias. */
  readonly bytes: number;
  readonly seconds: number;
}

/** Learns a profile with the defaults, and measures it on its test texts. */
export async function learnNewcomer(
  engine: Engine,
  task: Task,
  starts: readonly [Start, ...Start[]],
  texts: readonly LabelledText[],
  metric: "accuracy" | "mean absolute error",
): Promise<LearntNewcomer> {
  const examples = texts
    .filter(({ split }) => split === "train")
    .map(({ text, label }) => ({ input: { text }, label }));
  const hooks = { onProgress: async () => {}, signal: new AbortController().signal, budgetSeconds: 600 };
  const start = performance.now();
  const { parts, kept } = await engine.learn(task, { examples, starts }, hooks);
  const seconds = (performance.now() - start) / 1000;
  const tests = texts.filter(({ split }) => split === "test");
  const inputs = tests.map(({ text }) => ({ input: { text }, parts }));
  const { predictions } = await engine.predict(task, inputs, { patient: true });
  const scores = tests.map(({ label }, index) => {
    const predicted = predictions[index]?.label;
    return metric === "accuracy" ? Number(predicted === label) : Math.abs(Number(predicted) - Number(label));
  });
  const bytes = parts.masks.length + (parts.labelBias?.length ?? 0);
  return { figure: mean(scores) ?? Number.NaN, kept, bytes, seconds };
}
