import type { Command } from "commander";
import { type Client, unwrap } from "../../client/index.ts";
import { taskArgument } from "../arguments.ts";
import { addJsonOption, columns, formatMinute, type OutputOptions, printAnswer } from "../output.ts";
import { addServiceOptions, openService, readAllPages, type ServiceOptions } from "../service.ts";
import { writeOut } from "../write-out.ts";

type Asked = ServiceOptions & OutputOptions;

/** All tasks that the caller reaches, by name. */
export const listTasks = (client: Client) =>
  readAllPages(async (query) => {
    const { tasks, next } = await unwrap(client.v1.tasks.$get({ query }));
    return { rows: tasks, next };
  });

async function list(options: Asked): Promise<void> {
  const tasks = await Array.fromAsync(listTasks(openService(options)));
  const rows = () =>
    tasks.map(({ task, labels, maxTokens, generation, updatedAt, bundle }) => [
      task,
      labels.length,
      maxTokens,
      generation,
      formatMinute(updatedAt),
      bundle,
    ]);
  printAnswer(options, tasks, () => columns(["task", "labels", "tokens", "generation", "written", "bundle"], rows()));
}

/** Writes a task's `task.json` to a file, or to standard output for `-`. */
export async function exportTask(options: ServiceOptions, task: string, out: string): Promise<void> {
  const file = await unwrap(openService(options).v1.tasks[":task"].$get({ param: { task } }));
  await writeOut(out, [`${JSON.stringify(file)}\n`]);
}

const pull = (task: string, { out, ...options }: ServiceOptions & { readonly out: string }) =>
  exportTask(options, task, out);

async function remove(task: string, { profiles, ...options }: Asked & { readonly profiles?: boolean }): Promise<void> {
  const fate = profiles ? "delete" : "keep";
  const gone = await unwrap(
    openService(options).v1.tasks[":task"].$delete({ param: { task }, query: { profiles: fate } }),
  );
  printAnswer(options, { task, ...gone }, () => `Deleted task ${task}${profiles ? " and its profiles" : ""}.`);
}

/** `xpeft tasks`: the tasks of a running Worker. */
export function registerTasks(program: Command): void {
  const tasks = program
    .command("tasks")
    .description("list, pull and delete the tasks of a running Worker; `push` writes them");
  addJsonOption(addServiceOptions(tasks.command("list").description("list the tasks, by name"))).action(list);
  addServiceOptions(
    tasks
      .command("pull")
      .description("read a task as its task.json has it")
      .argument("<task>", "the task", taskArgument)
      .option("--out <file>", "where it goes; - is standard output", "-"),
  ).action(pull);
  addJsonOption(
    addServiceOptions(
      tasks
        .command("delete")
        .description("delete a task; refused while it has profiles")
        .argument("<task>", "the task", taskArgument)
        .option("--profiles", "delete its profiles too"),
    ),
  ).action(remove);
}
