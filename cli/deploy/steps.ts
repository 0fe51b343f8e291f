import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { SCOPES } from "../../src/auth/access.ts";
import { generateKey } from "../../src/auth/api-keys.ts";
import { insertStatement } from "../keys/key-text.ts";
import type { Wrangler } from "./wrangler.ts";

/** What is found out and made on the way. */
export interface Deployed {
  /** The file that a first key goes to; standard output if it is not said. */
  readonly keyOut?: string;
  /** Where the Worker answers, if it has an address of its own. */
  url?: string;
  /** The first key, if it was made just now. */
  key?: string;
}

/** A step of a deploy. It can be run again: what is there already is left. */
export interface Step {
  readonly title: string;
  /** What it comes to, as wrangler's arguments; `when` tells that it is not always done. */
  readonly commands: readonly { readonly args: readonly string[]; readonly when?: string }[];
  /** Does it; tells what it found or made. */
  run(wrangler: Wrangler, deployed: Deployed): Promise<string>;
}

/** A database of the configuration. */
export interface BoundDatabase {
  readonly binding: string;
  readonly name: string;
}

/** Keys are in the first of the databases. */
const KEYS_BINDING = "DB";
const SECRET = "TOKEN_KEYS";

const whoSchema = z.object({ loggedIn: z.literal(true) });
const databasesSchema = z.array(z.object({ name: z.string() }));
const secretsSchema = z.array(z.object({ name: z.string() }));
const countSchema = z.array(z.object({ results: z.array(z.object({ n: z.int() })) }));

const account: Step = {
  title: "Account",
  commands: [{ args: ["whoami"] }],
  async run(wrangler) {
    // Where nobody is signed in, wrangler fails; so it does where it cannot reach Cloudflare, and the cause tells which.
    await wrangler.read(whoSchema, ["whoami", "--json"]).catch((cause: unknown) => {
      throw new CommandError(
        "Wrangler is not signed in to a Cloudflare account, or cannot reach it.",
        "npx wrangler login; or, where nobody can click, set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID.",
        { cause },
      );
    });
    return "signed in";
  },
};

function database({ binding, name }: BoundDatabase): Step {
  const create = ["d1", "create", name];
  const apply = ["d1", "migrations", "apply", binding, "--remote"];
  return {
    title: `Database ${name}`,
    commands: [{ args: ["d1", "list"] }, { args: create, when: "it is not there" }, { args: apply }],
    async run(wrangler) {
      const databases = await wrangler.read(databasesSchema, ["d1", "list", "--json"]);
      const there = databases.some((one) => one.name === name);
      if (!there) await wrangler.run(create);
      const said = await wrangler.run(apply);
      return `${there ? "there already" : "made"}; migrations ${said.includes("No migrations to apply") ? "applied already" : "applied"}`;
    },
  };
}

const worker: Step = {
  title: "Worker",
  commands: [{ args: ["deploy"] }],
  async run(wrangler, deployed) {
    const url = (await wrangler.deploy()).find((target) => target.startsWith("https://"));
    if (url !== undefined) deployed.url = url;
    return url ?? "uploaded; it has no address on workers.dev: see the routes of wrangler.toml";
  },
};

const put = ["secret", "put", SECRET];

const secret: Step = {
  title: "Secret that profile tokens are signed with",
  commands: [{ args: ["secret", "list"] }, { args: put, when: "it is not there" }],
  async run(wrangler) {
    const secrets = await wrangler.read(secretsSchema, ["secret", "list", "--format", "json"]);
    if (secrets.some(({ name }) => name === SECRET)) return "there already";
    await wrangler.run(put, `first:${randomBytes(32).toString("base64")}\n`);
    return "drawn and set";
  },
};

const execute = (sql: string) => ["d1", "execute", KEYS_BINDING, "--remote", "--json", "--command", sql];
const count = execute("SELECT count(*) AS n FROM keys");

/** Only its owner may read the file. */
const KEY_FILE_MODE = 0o600;

async function keep(key: string, path: string): Promise<void> {
  try {
    await writeFile(path, `${key}\n`, { mode: KEY_FILE_MODE, flag: "wx" });
  } catch (cause) {
    throw new CommandError(
      `The first key cannot be written to ${path}, and was not made.`,
      "Name a file that is not there yet, in a folder that is: --key-out",
      { cause },
    );
  }
}

const firstKey: Step = {
  title: "First key",
  commands: [{ args: count }, { args: execute("INSERT INTO keys …"), when: "there is none" }],
  async run(wrangler, deployed) {
    const [counted] = await wrangler.read(countSchema, count);
    if ((counted?.results[0]?.n ?? 0) > 0) return "there are keys already";
    const { keyOut } = deployed;
    const wanted = { name: "first", scopes: [...SCOPES], task: null, profilePrefix: "", expiresAt: null };
    const { key, row } = await generateKey(wanted);
    // Before it counts: a key that could not be kept afterwards could not be had again.
    if (keyOut !== undefined) await keep(key, keyOut);
    deployed.key = key;
    await wrangler.run(execute(insertStatement(row)));
    return `made, with every scope; ${keyOut === undefined ? "it is shown below, and never again" : `it is in ${keyOut}, and nowhere else`}`;
  },
};

/** The steps of a deploy, in order: what is uploaded finds its databases as it needs them. */
export function stepsOf(databases: readonly BoundDatabase[]): Step[] {
  return [account, ...databases.map(database), worker, secret, firstKey];
}
