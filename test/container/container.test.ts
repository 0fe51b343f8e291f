import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { isLongForm } from "../support/long-form.ts";
import { freePort, waitForResponse } from "../support/processes.ts";
import { buildImage, type Image } from "./build.ts";
import { contextFiles, ignoredPaths, readStages } from "./dockerfile.ts";
import { runIn, startIn } from "./root.ts";

describe("Dockerfile", () => {
  it("has the Node of the tests, and a build context without secrets and what is built", async () => {
    const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    const stages = await readStages("Dockerfile");
    expect(stages.map(({ base }) => base)).toEqual(Array(2).fill(`node:${devDependencies.node}-bookworm-slim`));
    const unwanted = [
      ".dev.vars",
      ".git/config",
      "dist/app/app.js",
      "node_modules/a/index.js",
      "training/.venv/bin/pip",
    ];
    expect([...(await ignoredPaths([...unwanted, "xpeft.db-wal", "package.json"]))].filter(Boolean)).toEqual([
      ...unwanted,
      "xpeft.db-wal",
    ]);
    expect(await contextFiles()).toEqual(expect.arrayContaining(["package-lock.json", "docs/.vitepress/config.mjs"]));
  });

  it("has a compose.yaml that takes from the service what it does not need", () => {
    const { services, volumes } = parse(readFileSync("compose.yaml", "utf8"));
    expect(services.xpeft).toMatchObject({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      volumes: ["data:/data"],
    });
    expect(Object.keys(volumes)).toEqual(["data"]);
  });
});

// Roots are made from this machine's Debian, by mounts that only root may make.
const canMakeRoots =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "setpriv", "--version"]).status === 0;

/**
 * What it does not test: the base image with its npm, BuildKit's reading of the Dockerfile, the server as process 1, and the
 * limits of Docker's own seccomp profile. There is no daemon here.
 */
describe.skipIf(!isLongForm || !canMakeRoots)(
  "the Dockerfile's steps, each run in a root of Debian, Node and npm alone",
  () => {
    let folder: string;
    let image: Image;
    let backup: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "xpeft-image-"));
      await chmod(folder, 0o755);
      image = await buildImage(await readStages("Dockerfile"), folder);
      expect(image.user).toBe("node");
      const [, command = ""] = /^(node -e .*VACUUM.*)$/m.exec(readFileSync("docs/self-hosting.md", "utf8")) ?? [];
      backup = command
        .replace("/var/lib/xpeft/xpeft.db", "/data/xpeft.db")
        .replace("/var/backups/xpeft.db", "/data/copy.db");
    }, 1_800_000);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it.each([
      ["auto", "kernels"],
      ["onnxruntime", "onnxruntime"],
    ])("serves with XPEFT_ENGINE=%s as another user on a read-only root, until SIGTERM", async (choice, engine) => {
      const { root, cwd, volumes, command, healthcheck } = image;
      const port = String(await freePort());
      const env = { ...image.env, XPEFT_PORT: port, XPEFT_ENGINE: choice };
      const options = { cwd, env, user: "node", writable: [...volumes, "/tmp"] };
      const inContainer = (...words: string[]) => runIn(root, words, options);
      const { child, output } = startIn(root, [...command, "--demo", "--database", "file:/data/xpeft.db"], options);
      try {
        const url = `http://localhost:${port}`;
        await waitForResponse(`${url}/healthz`);
        expect(await inContainer(...healthcheck)).toEqual({ code: 0, output: "" });
        expect((await inContainer("touch", "/app/file")).output).toContain("Read-only file system");
        expect((await fetch(`${url}/docs/`)).status).toBe(200);
        const method = "POST";
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify({
          task: "news",
          profile: "news-000",
          inputs: "Senate passes bill after long night",
        });
        const answer = await fetch(`${url}/v1/predict`, { method, headers, body });
        expect(await answer.json()).toMatchObject({ engine, predictions: [{ label: "POLITICS" }] });
        expect(await inContainer("xpeft", "keys", "create", "--name", "first")).toMatchObject({ code: 0 });
        expect(await inContainer("/bin/sh", "-c", backup)).toMatchObject({ code: 0 });
        const keys = await inContainer("xpeft", "keys", "list", "--database", "file:/data/copy.db");
        expect(keys).toMatchObject({ code: 0, output: expect.stringContaining("first") });
        await inContainer("rm", "/data/copy.db");
        child.kill("SIGTERM");
        expect(await once(child, "close"), output.text).toEqual([0, null]);
        expect((await inContainer(...healthcheck)).code).toBe(1);
      } finally {
        child.kill("SIGKILL");
      }
    });
  },
);
