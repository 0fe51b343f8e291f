import type { Command } from "commander";
import { type Client, unwrap } from "../../client/index.ts";
import { parseTaskName } from "../arguments.ts";
import { exampleText } from "../command-line.ts";
import { addWorkerOptions, addWorkerOutputOptions, type WorkerOptions, type WorkerOutputOptions } from "../options.ts";
import { formatColumns, formatMinute, printResult } from "../output.ts";
import { openClient, readAllPages } from "../worker-client.ts";
import { writeOutput } from "../write-output.ts";

/** Yields all tasks that the key may read, by name. */
export const listTasks = (client: Client) =>
  readAllPages(async (query) => {
    const { tasks, next } = await unwrap(client.v1.tasks.$get({ query }));
    return { rows: tasks, next };
  });

async function showTasks(options: WorkerOutputOptions): Promise<void> {
  const tasks = await Array.fromAsync(listTasks(openClient(options)));
  printResult(options, tasks, () => {
    const rows = tasks.map(({ task, labels, maxTokens, generation, updatedAt, bundle }) => [
      task,
      labels.length,
      maxTokens,
      generation,
      formatMinute(updatedAt),
      bundle,
    ]);
    return formatColumns(["task", "labels", "tokens", "generation", "written", "bundle"], rows);
  });
}

/** Writes a task's `task.json` to a file, or to standard output for `-`. */
export async function downloadTask(options: WorkerOptions, task: string, path: string): Promise<void> {
  const taskFile = await unwrap(openClient(options).v1.tasks[":task"].$get({ param: { task } }));
  await writeOutput(path, [`${JSON.stringify(taskFile)}\n`]);
}

const pullTask = (task: string, { out, ...options }: WorkerOptions & { readonly out: string }) =>
  downloadTask(options, task, out);

async function deleteTask(task: string, options: WorkerOutputOptions & { readonly profiles?: boolean }): Promise<void> {
  const { profiles } = options;
  const query = { profiles: profiles ? "delete" : "keep" } as const;
  const deleted = await unwrap(openClient(options).v1.tasks[":task"].$delete({ param: { task }, query }));
  printResult(options, { task, ...deleted }, () => `Deleted task ${task}${profiles ? " and its profiles" : ""}.`);
}

/** `xpeft tasks`: the tasks of a running Worker. */
export function registerTasks(program: Command): void {
  const tasks = program
    .command("tasks")
    .description("list, download and delete the tasks of a running Worker (push writes them)")
    .addHelpText("after", exampleText("tasks list", "tasks pull news --out task.json"));
  addWorkerOutputOptions(tasks.command("list").description("list the tasks by name"), ["predict"]).action(showTasks);
  addWorkerOptions(
    tasks
      .command("pull")
      .description("download a task as a task.json")
      .argument("<task>", "name of the task", parseTaskName)
      .option("--out <file>", "write to this file; - is standard output", "-"),
    ["write"],
  ).action(pullTask);
  addWorkerOutputOptions(
    tasks
      .command("delete")
      .description("delete a task; fails while it has profiles, unless --profiles deletes them")
      .argument("<task>", "name of the task", parseTaskName)
      .option("--profiles", "delete the task's profiles too"),
    ["admin"],
  ).action(deleteTask);
}
