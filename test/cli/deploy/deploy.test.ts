import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { SCOPES } from "../../../src/auth/access.ts";
import { ACCOUNT, type FakeCloudflare, startCloudflare } from "../../support/cloudflare.ts";
import { run } from "../../support/processes.ts";

const TIMEOUT_MS = 600_000;
const KEY = /^xpk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n$/;

let cloudflare: FakeCloudflare;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-deploy-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  cloudflare = await startCloudflare();
});
afterEach(() => cloudflare.close());

const deploy = (...args: string[]) =>
  run(["cli/xpeft.ts", "deploy", "--no-wait", ...args], {
    CLOUDFLARE_API_BASE_URL: cloudflare.url,
    CLOUDFLARE_API_TOKEN: "token",
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
  });

const changed = () => cloudflare.changes.splice(0).map((change) => change.replace(`/accounts/${ACCOUNT}`, ""));

const keys = (database: string) =>
  cloudflare.databases.get(database)?.sqlite.prepare("SELECT name, scopes FROM keys").all();

const WORKER = [
  "POST /workers/scripts/xpeft-edge/assets-upload-session",
  "PUT /workers/scripts/xpeft-edge",
  "PATCH /workers/scripts/xpeft-edge/script-settings",
  "POST /workers/scripts/xpeft-edge/subdomain",
];

/** The changes of an upload: a script at first, a version later. */
const OF_THE_WORKER = /\/scripts\/xpeft-edge\/(assets-upload-session|versions|deployments|script-settings|subdomain)$/;

it(
  "creates what is missing, and on a second run only uploads the Worker",
  async () => {
    const first = await deploy();
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(KEY) });
    expect(first.stderr).toContain("https://xpeft-edge.someone.workers.dev");
    expect(changed()).toEqual(["POST /d1/database", ...WORKER, "PUT /workers/scripts/xpeft-edge/secrets"]);
    expect(cloudflare.secrets.get("xpeft-edge")?.get("TOKEN_KEYS")).toMatch(/^first:[A-Za-z0-9+/]{43}=$/);
    expect(keys("xpeft")).toEqual([{ name: "first", scopes: JSON.stringify(SCOPES) }]);

    const second = await deploy();
    expect(second).toMatchObject({ code: 0, stdout: "" });
    expect(second.stderr).toMatch(/exists; migrations are up to date.*exists.*keys exist/s);
    expect(changed().filter((change) => !OF_THE_WORKER.test(change))).toEqual([]);
    expect(keys("xpeft")).toHaveLength(1);
  },
  TIMEOUT_MS,
);

it(
  "gives the preview its own database, and writes its key to a file that only its owner can read",
  async () => {
    const path = join(folder, "preview.key");
    expect(await deploy("--env", "preview", "--key-out", path)).toMatchObject({ code: 0, stdout: "" });
    expect(await readFile(path, "utf8")).toMatch(KEY);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect([...cloudflare.databases.keys()]).toEqual(["xpeft-preview"]);
    expect([...cloudflare.secrets.keys()]).toEqual(["xpeft-edge-preview"]);
  },
  TIMEOUT_MS,
);

it(
  "does not overwrite a file with a key",
  async () => {
    const path = join(folder, "kept.key");
    await writeFile(path, "kept");
    const { code, stderr } = await deploy("--key-out", path);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /cannot be written to \S+kept\.key, so it was not created.*\n.*EEXIST.*\n {2}.*--key-out\n$/,
    );
    expect(await readFile(path, "utf8")).toBe("kept");
    expect(keys("xpeft")).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  "shows each step and changes nothing with --dry-run",
  async () => {
    const { code, stderr } = await deploy("--dry-run");
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /npx wrangler d1 create xpeft {3}# if it does not exist\n.*\n3\/5 Worker\n.*Dry run: nothing was changed\.\n$/s,
    );
    expect(changed()).toEqual([]);
    expect(cloudflare.unknown).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  "says how to sign in if nobody is signed in",
  async () => {
    const { code, stderr } = await run(["cli/xpeft.ts", "deploy"], {
      CLOUDFLARE_API_TOKEN: "",
      HOME: folder,
      XDG_CONFIG_HOME: folder,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/not signed in.*\n {2}because: .*\n {2}Sign in with: npx wrangler login/s);
  },
  TIMEOUT_MS,
);
