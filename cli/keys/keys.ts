import type { Command } from "commander";
import { CommandError } from "../../node/errors.ts";
import { SCOPES, type Scope } from "../../src/auth/access.ts";
import { generateKey, type NewKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import { exampleText } from "../command-line.ts";
import { withDatabase } from "../database.ts";
import { addDatabaseOptions, addJsonOption, type DatabaseOptions, type OutputOptions } from "../options.ts";
import { printResult } from "../output.ts";
import { createOptions } from "./key-options.ts";
import { describeKey, formatKeys, insertStatement } from "./key-text.ts";

interface CreateOptions extends DatabaseOptions, OutputOptions {
  readonly name: string;
  readonly scope: readonly Scope[];
  readonly task?: string;
  readonly prefix: string;
  readonly expires?: Date;
  readonly sql?: boolean;
}

async function create({ name, scope, task, prefix, expires, json, sql, ...database }: CreateOptions): Promise<void> {
  const newKey: NewKey = {
    name,
    scopes: SCOPES.filter((known) => scope.includes(known)),
    task: task ?? null,
    profilePrefix: prefix,
    expiresAt: expires ?? null,
  };
  const { key, row } = await generateKey(newKey);
  if (sql) {
    console.error(`${describeKey(row.id, newKey)} It works once the statement has run. It is shown only now:\n${key}`);
    console.log(insertStatement(row));
    return;
  }
  await withDatabase(database, (db) => createKeyStore(db).add(row));
  if (json) {
    const { name: _, ...permissions } = newKey;
    console.log(JSON.stringify({ key, id: row.id, ...permissions }));
    return;
  }
  console.error(`${describeKey(row.id, newKey)} It is shown only now:`);
  console.log(key);
}

async function list(options: DatabaseOptions & OutputOptions): Promise<void> {
  const records = await withDatabase(options, (db) => createKeyStore(db).list());
  printResult(options, records, () => formatKeys(records));
}

async function revoke(id: string, options: DatabaseOptions): Promise<void> {
  const revoked = await withDatabase(options, (db) => createKeyStore(db).revoke(id));
  if (!revoked) throw new CommandError(`The database has no key "${id}".`, "List the ids: xpeft keys list");
  console.log(`Revoked key ${id}. A running service may accept it for up to CACHE_TTL_SECONDS longer.`);
}

/** `xpeft keys`: creates, lists and revokes API keys. */
export function registerKeys(program: Command): void {
  const keys = program.command("keys").description("create, list and revoke API keys in a database");
  const createCommand = keys
    .command("create")
    .description("create a key and print it; only its hash is stored, so it is shown only once")
    .addHelpText(
      "after",
      exampleText(
        "keys create --scope predict list learn write admin",
        "keys create --name laptop --task news --prefix user-7 --expires 90d",
      ),
    );
  for (const option of createOptions) createCommand.addOption(option);
  addDatabaseOptions(createCommand).action(create);
  addDatabaseOptions(
    addJsonOption(keys.command("list").description("list the keys and what they permit; secrets are not stored")),
  ).action(list);
  addDatabaseOptions(
    keys.command("revoke").description("delete a key").argument("<id>", "id of the key, from keys list"),
  ).action(revoke);
}
