import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { SCOPES } from "../../src/auth/access.ts";
import { generateKey, type NewKey } from "../../src/auth/api-keys.ts";
import { insertStatement } from "../keys/key-text.ts";
import type { Wrangler } from "./wrangler.ts";

/** What the steps of a deploy learn and create. */
export interface DeployState {
  /** File for the first key; by default it goes to standard output. */
  readonly keyOut?: string;
  /** Address of the Worker, if it has one on workers.dev. */
  url?: string;
  /** The first key, if this deploy created it. */
  key?: string;
}

/** A step of a deploy. It is safe to repeat: it leaves what exists. */
export interface Step {
  readonly title: string;
  /** The step's commands, as arguments of wrangler; `condition` says when a command is run, if not always. */
  readonly commands: readonly { readonly args: readonly string[]; readonly condition?: string }[];
  /** Runs the step and returns its outcome in words. */
  run(wrangler: Wrangler, state: DeployState): Promise<string>;
}

/** A database of wrangler.toml. */
export interface BoundDatabase {
  readonly binding: string;
  readonly name: string;
}

/** Binding of the first database, which has the keys. */
const KEYS_BINDING = "DB";
const SECRET = "TOKEN_KEYS";

const whoamiSchema = z.object({ loggedIn: z.literal(true) });
const databasesSchema = z.array(z.object({ name: z.string() }));
const secretsSchema = z.array(z.object({ name: z.string() }));
const countSchema = z.array(z.object({ results: z.array(z.object({ n: z.int() })) }));

const accountStep: Step = {
  title: "Account",
  commands: [{ args: ["whoami"] }],
  async run(wrangler) {
    // Wrangler fails both if nobody is signed in and if it cannot reach Cloudflare. The cause says which.
    await wrangler.readJson(whoamiSchema, ["whoami", "--json"]).catch((cause: unknown) => {
      throw new CommandError(
        "Wrangler is not signed in to a Cloudflare account, or cannot reach Cloudflare.",
        "Sign in with: npx wrangler login. Without a browser, set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID.",
        { cause },
      );
    });
    return "signed in";
  },
};

function databaseStep({ binding, name }: BoundDatabase): Step {
  const create = ["d1", "create", name];
  const migrate = ["d1", "migrations", "apply", binding, "--remote"];
  return {
    title: `Database ${name}`,
    commands: [{ args: ["d1", "list"] }, { args: create, condition: "it does not exist" }, { args: migrate }],
    async run(wrangler) {
      const databases = await wrangler.readJson(databasesSchema, ["d1", "list", "--json"]);
      const exists = databases.some((database) => database.name === name);
      if (!exists) await wrangler.run(create);
      const upToDate = (await wrangler.run(migrate)).includes("No migrations to apply");
      return `${exists ? "exists" : "created"}; migrations ${upToDate ? "are up to date" : "applied"}`;
    },
  };
}

const workerStep: Step = {
  title: "Worker",
  commands: [{ args: ["deploy"] }],
  async run(wrangler, state) {
    const url = (await wrangler.deploy()).find((target) => target.startsWith("https://"));
    if (url === undefined) return "uploaded, without an address on workers.dev: see the routes in wrangler.toml";
    state.url = url;
    return url;
  },
};

const putSecret = ["secret", "put", SECRET];

const secretStep: Step = {
  title: "Secret that signs profile tokens",
  commands: [{ args: ["secret", "list"] }, { args: putSecret, condition: "it does not exist" }],
  async run(wrangler) {
    const secrets = await wrangler.readJson(secretsSchema, ["secret", "list", "--format", "json"]);
    if (secrets.some(({ name }) => name === SECRET)) return "exists";
    await wrangler.run(putSecret, `first:${randomBytes(32).toString("base64")}\n`);
    return "created";
  },
};

const execute = (sql: string) => ["d1", "execute", KEYS_BINDING, "--remote", "--json", "--command", sql];
const countKeys = execute("SELECT count(*) AS n FROM keys");

/** Only the file's owner may read it. */
const KEY_FILE_MODE = 0o600;

async function writeKeyFile(key: string, path: string): Promise<void> {
  try {
    await writeFile(path, `${key}\n`, { mode: KEY_FILE_MODE, flag: "wx" });
  } catch (cause) {
    throw new CommandError(
      `The first key cannot be written to ${path}, so it was not created.`,
      "Name a new file in an existing folder: --key-out",
      { cause },
    );
  }
}

const keyStep: Step = {
  title: "First key",
  commands: [{ args: countKeys }, { args: execute("INSERT INTO keys …"), condition: "there is no key" }],
  async run(wrangler, state) {
    const [answer] = await wrangler.readJson(countSchema, countKeys);
    if ((answer?.results[0]?.n ?? 0) > 0) return "keys exist";
    const { keyOut } = state;
    const newKey: NewKey = { name: "first", scopes: [...SCOPES], task: null, profilePrefix: "", expiresAt: null };
    const { key, row } = await generateKey(newKey);
    // Write the file first: if that failed after the key was created, the key would be lost.
    if (keyOut !== undefined) await writeKeyFile(key, keyOut);
    state.key = key;
    await wrangler.run(execute(insertStatement(row)));
    return `created, with every scope; ${keyOut === undefined ? "it is shown only now, below" : `it is in ${keyOut}, and nowhere else`}`;
  },
};

/** Returns the steps of a deploy in order: databases come before the Worker that needs them. */
export function deploySteps(databases: readonly BoundDatabase[]): Step[] {
  return [accountStep, ...databases.map(databaseStep), workerStep, secretStep, keyStep];
}
