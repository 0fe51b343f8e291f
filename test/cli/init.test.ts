import { rename, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_readConfig } from "wrangler";
import { wrangler } from "../../scripts/install.mjs";
import { installPackage } from "../support/packed.ts";
import { freePort, interrupt, runProgram, start, waitForResponse } from "../support/processes.ts";
import { makeTempFolder, removeTempFolder } from "../support/temp-folders.ts";

const FILES = [".dev.vars.example", ".gitignore", "README.md", "build-assets.mjs", "package.json", "wrangler.toml"];
const XPEFT = "node_modules/xpeft-edge/dist/cli/xpeft.js";
const DEMO = "node_modules/xpeft-edge/bundles/demo/offense";

let folder: string;
let project: string;

const node = (cwd: string, ...args: string[]) => runProgram(process.execPath, args, { cwd });

/** A project that the packed package wrote, with the package installed there. */
beforeAll(async () => {
  folder = await makeTempFolder("xpeft-init-");
  project = join(folder, "My Service");
  await writeFile(join(folder, "package.json"), '{"private": true}');
  await installPackage(folder);
  const { code, stdout } = await node(folder, XPEFT, "init", "My Service", "--bundle", resolve("bundles/minilm-l6-v2"));
  expect({ code, files: stdout.trim().split("\n").sort() }).toEqual({
    code: 0,
    files: FILES.map((name) => join("My Service", name)),
  });
  await rename(join(folder, "node_modules"), join(project, "node_modules"));
  await symlink(resolve("node_modules/wrangler"), join(project, "node_modules", "wrangler"));
});
afterAll(() => removeTempFolder(folder));

describe("xpeft init", () => {
  it("overwrites nothing, and names what is there", async () => {
    const { code, stderr } = await node(project, XPEFT, "init");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^\.dev\.vars\.example, .*wrangler\.toml: there already, and not overwritten\.\n {2}Name a new/,
    );
  });

  it("writes a wrangler.toml with the settings of the project's own", () => {
    const settingsOf = (config: string) => {
      const {
        compatibility_date,
        compatibility_flags,
        vars,
        ratelimits,
        limits,
        rules,
        assets,
        observability,
        minify,
      } = unstable_readConfig({ config });
      const { directory: _, ...served } = assets ?? {};
      return {
        compatibility_date,
        compatibility_flags,
        vars,
        ratelimits,
        limits,
        rules,
        served,
        observability,
        minify,
      };
    };
    expect(settingsOf(join(project, "wrangler.toml"))).toEqual(settingsOf("wrangler.toml"));
  });

  it("has a Worker that wrangler builds for a deploy", async () => {
    const { code, stderr } = await node(project, XPEFT, "deploy", "--dry-run");
    expect(code, stderr).toBe(0);
    for (const line of ["npx wrangler d1 create my-service", "npx wrangler deploy", "env.DB (my-service)"])
      expect(stderr).toContain(line);
  });

  it("serves a pushed task with wrangler dev", async () => {
    expect(await node(project, wrangler, "d1", "migrations", "apply", "DB", "--local")).toMatchObject({ code: 0 });
    const push = ["push", "--task", `${DEMO}/task.json`, "--profiles", `${DEMO}/profiles.ndjson`];
    const pushed = await node(project, XPEFT, ...push);
    expect(pushed, pushed.stderr).toMatchObject({ code: 0 });
    const { stdout: key } = await node(project, XPEFT, "keys", "create", "--scope", "predict");
    const url = `http://localhost:${await freePort()}`;
    const dev = ["dev", "--port", new URL(url).port, "--show-interactive-dev-session=false"];
    const { child } = start([wrangler, ...dev], { cwd: project });
    await waitForResponse(`${url}/healthz`);
    const predict = ["predict", "offense", "--profile", "offense-002", "You clearly have no idea."];
    const predicted = await node(project, XPEFT, ...predict, "--url", url, "--key", key.trim());
    const docs = await fetch(`${url}/docs/`);
    await interrupt(child);
    expect(predicted).toMatchObject({ code: 0, stderr: "" });
    expect(predicted.stdout).toMatch(/^[^\t]+\t[01]\.\d+/);
    expect(docs.status).toBe(200);
  });
});
