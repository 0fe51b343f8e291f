import type { Command } from "commander";
import { CommandError } from "../../node/errors.ts";
import { SCOPES, type Scope } from "../../src/auth/access.ts";
import { createKeyStore, generateKey, type NewKey } from "../../src/auth/api-keys.ts";
import { withDatabase } from "../database.ts";
import { createOptions } from "./key-options.ts";
import { describeKey, insertStatement, keyTable } from "./key-text.ts";

interface Local {
  readonly persistTo?: string;
}

interface CreateOptions extends Local {
  readonly name: string;
  readonly scope: readonly Scope[];
  readonly task?: string;
  readonly prefix: string;
  readonly expires?: Date;
  readonly json?: boolean;
  readonly sql?: boolean;
}

interface ListOptions extends Local {
  readonly json?: boolean;
}

const PERSIST_TO = ["--persist-to <folder>", "where the local database is, as given to wrangler dev"] as const;

async function create({ name, scope, task, prefix, expires, json, sql, persistTo }: CreateOptions): Promise<void> {
  const wanted: NewKey = {
    name,
    scopes: SCOPES.filter((known) => scope.includes(known)),
    task: task ?? null,
    profilePrefix: prefix,
    expiresAt: expires ?? null,
  };
  const { key, row } = await generateKey(wanted);
  if (sql) {
    console.error(`${describeKey(row.id, wanted)} Known only once the statement has run; shown only now:\n${key}`);
    console.log(insertStatement(row));
    return;
  }
  await withDatabase(persistTo, (db) => createKeyStore(db).add(row));
  if (json) {
    const { name: _name, ...rest } = wanted;
    console.log(JSON.stringify({ key, id: row.id, ...rest }));
    return;
  }
  console.error(`${describeKey(row.id, wanted)} Shown only now:`);
  console.log(key);
}

async function list({ json, persistTo }: ListOptions): Promise<void> {
  const records = await withDatabase(persistTo, (db) => createKeyStore(db).list());
  console.log(json ? JSON.stringify(records) : keyTable(records));
}

async function revoke(id: string, { persistTo }: Local): Promise<void> {
  if (!(await withDatabase(persistTo, (db) => createKeyStore(db).revoke(id)))) {
    throw new CommandError(`There is no key "${id}".`, "See the ids with: npm run xpeft -- keys list");
  }
  console.log(`Revoked key ${id}. Workers that know it may take it for CACHE_TTL_SECONDS (wrangler.toml) more.`);
}

/** `xpeft keys`: makes, lists and revokes the API's keys. */
export function registerKeys(program: Command): void {
  const keys = program.command("keys").description("make, list and revoke keys for the API");
  const creating = keys.command("create").description("make a key; only its hash is kept, so it is shown only once");
  for (const option of createOptions) creating.addOption(option);
  creating.option(...PERSIST_TO).action(create);
  keys
    .command("list")
    .description("list the keys of the local database; their secrets are not stored")
    .option("--json", "print one JSON array")
    .option(...PERSIST_TO)
    .action(list);
  keys
    .command("revoke")
    .description("delete a key from the local database")
    .argument("<id>", "the key's id")
    .option(...PERSIST_TO)
    .action(revoke);
}
