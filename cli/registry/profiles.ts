import type { Command } from "commander";
import { type Client, unwrap } from "../../client/index.ts";
import { parseWholeNumber, profileArgument, taskArgument } from "../arguments.ts";
import { addJsonOption, columns, formatMinute, type OutputOptions, printAnswer } from "../output.ts";
import { addServiceOptions, openService, readAllPages, type ServiceOptions } from "../service.ts";
import { masksAsText } from "./draw-masks.ts";
import { registerPullProfiles, registerPushProfiles } from "./profiles-bulk.ts";

type Asked = ServiceOptions & OutputOptions;

/** The generation that a row must be at to be written, if that was said. */
interface Expecting {
  readonly ifGeneration?: number;
}

const routesOf = (options: ServiceOptions) => openService(options).v1.profiles[":task"];

const expecting = ({ ifGeneration }: Expecting) =>
  ifGeneration === undefined ? {} : { headers: { "if-match": `"${ifGeneration}"` } };

const weigh = (row: { maskBytes: number; labelBiasBytes: number }) => row.maskBytes + row.labelBiasBytes;

async function list(task: string, { prefix, ...options }: Asked & { readonly prefix: string }): Promise<void> {
  const { $get } = routesOf(options);
  const rows = readAllPages(async ({ limit, after }) => {
    const { profiles, next } = await unwrap($get({ param: { task }, query: { limit, after, prefix } }));
    return { rows: profiles, next };
  });
  const shown = await Array.fromAsync(rows, ({ masks: _, labelBias: __, ...rest }) => ({
    ...rest,
    bytes: weigh(rest),
  }));
  printAnswer(options, shown, () => {
    const lines = shown.map(({ profile, generation, bytes, updatedAt }) => [
      profile,
      generation,
      bytes,
      formatMinute(updatedAt),
    ]);
    return columns(["profile", "generation", "bytes", "written"], lines);
  });
}

/** A label bias as it is added to the logits, label by label. */
async function biasText(client: Client, task: string, labelBias: string): Promise<string> {
  const { labels } = await unwrap(client.v1.tasks[":task"].$get({ param: { task } }));
  const steps = Int8Array.from(Buffer.from(labelBias, "base64"));
  return labels.map((label, place) => `${label} ${((steps[place] ?? 0) / 16).toFixed(2)}`).join(", ");
}

async function show(task: string, profile: string, options: Asked & { readonly masks?: boolean }): Promise<void> {
  const client = openService(options);
  const row = await unwrap(client.v1.profiles[":task"][":profile"].$get({ param: { task, profile } }));
  if (options.json) return printAnswer(options, row, String);
  console.log(`${task}/${profile}: generation ${row.generation}, written ${row.updatedAt}`);
  console.log(`masks ${row.maskBytes} bytes, label bias ${row.labelBiasBytes || "none"}`);
  if (row.labelBias !== null) console.log(`added to the logits: ${await biasText(client, task, row.labelBias)}`);
  if (options.masks) console.log(masksAsText(row.masks, (await unwrap(client.v1.info.$get())).bundle));
}

async function history(task: string, profile: string, options: Asked): Promise<void> {
  const found = await unwrap(routesOf(options)[":profile"].history.$get({ param: { task, profile } }));
  printAnswer(options, found, () => {
    const rows = [found.current, ...found.earlier].map((row, place) => [
      row.generation,
      weigh(row),
      formatMinute(row.updatedAt),
      place === 0 ? "current" : "",
    ]);
    return columns(["generation", "bytes", "written", ""], rows);
  });
}

async function rollBack(task: string, profile: string, to: number, options: Asked & Expecting): Promise<void> {
  const { rollback } = routesOf(options)[":profile"];
  const asked = { param: { task, profile }, json: { generation: to } };
  const written = await unwrap(rollback.$post(asked, expecting(options)));
  printAnswer(
    options,
    written,
    () => `${task}/${profile} is as generation ${to} was; that is generation ${written.generation}.`,
  );
}

async function remove(task: string, profile: string, options: Asked & Expecting): Promise<void> {
  const gone = await unwrap(routesOf(options)[":profile"].$delete({ param: { task, profile } }, expecting(options)));
  printAnswer(options, { task, profile, ...gone }, () => `Deleted ${task}/${profile}.`);
}

interface TokenOptions extends Asked {
  readonly ttl: number;
  readonly masksOnly?: boolean;
}

async function makeToken(task: string, profile: string, { ttl, masksOnly, ...options }: TokenOptions): Promise<void> {
  const json = { ttlSeconds: ttl, carry: masksOnly ? "masks" : "all" } as const;
  const made = await unwrap(routesOf(options)[":profile"].token.$post({ param: { task, profile }, json }));
  if (!options.json) console.error(`${made.bytes} bytes, taken until ${made.expiresAt}:`);
  printAnswer(options, made, () => made.token);
}

/** `xpeft profiles`: the profiles of a running Worker. */
export function registerProfiles(program: Command): void {
  const profiles = program.command("profiles").description("read and write the profiles of a running Worker");
  const about = (name: string, description: string) =>
    addJsonOption(addServiceOptions(profiles.command(name).description(description))).argument(
      "<task>",
      "the task",
      taskArgument,
    );
  const aboutOne = (name: string, description: string) =>
    about(name, description).argument("<profile>", "the profile", profileArgument);
  const expected = ["--if-generation <n>", "only if the profile is at this generation", parseWholeNumber(1)] as const;

  about("list", "list a task's profiles, by id")
    .option("--prefix <prefix>", "only those whose ids start so", "")
    .action(list);
  aboutOne("show", "show what is stored for a profile")
    .option("--masks", "draw its masks: a row for each layer and side, a place for each adapter of the pool")
    .action(show);
  registerPushProfiles(about("push", "write profiles from a profiles.ndjson, each line for itself"));
  registerPullProfiles(
    addServiceOptions(profiles.command("pull").description("read a task's profiles as a profiles.ndjson")),
  );
  aboutOne("history", "list the generations that a profile can go back to").action(history);
  aboutOne("rollback", "write an earlier generation of a profile again")
    .argument("<generation>", "which one", parseWholeNumber(1))
    .option(...expected)
    .action(rollBack);
  aboutOne("delete", "delete a profile and its history")
    .option(...expected)
    .action(remove);
  aboutOne("token", "make a token that holds the profile, to be sent in the place of a key")
    .option("--ttl <seconds>", "for how long it is taken", parseWholeNumber(60), 24 * 60 * 60)
    .option("--masks-only", "leave the task's head out of it: small, but the Worker then needs the task's row")
    .action(makeToken);
}
