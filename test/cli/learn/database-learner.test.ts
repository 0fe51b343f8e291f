import { expect, it } from "vitest";
import { checkSameTask } from "../../../cli/learn/database-learner.ts";
import { adapterOf, masksOf, taskOf } from "../../support/rows.ts";

const task = taskOf({ adapter: adapterOf(1) });

it("accepts a file with the database's task", () => {
  expect(() => checkSameTask(task, taskOf({ adapter: adapterOf(1) }))).not.toThrow();
  expect(() => checkSameTask(taskOf(), taskOf())).not.toThrow();
});

it.each([
  ["bundle", { bundle: "1".repeat(32) }],
  ["length", { maxTokens: 9 }],
  ["labels", { labels: ["a", "b", "c"] }],
  ["masks", { masks: masksOf(1) }],
  ["head", { head: task.head.with(0, 9) }],
  ["adapter", { adapter: adapterOf(2) }],
  ["adapter, which it lacks", { adapter: null }],
])("rejects a file with another %s", (_, parts) => {
  expect(() => checkSameTask({ ...task, ...parts }, task)).toThrow(
    'The database has another task "demo" than the file.',
  );
});
