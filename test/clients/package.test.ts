import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/install.mjs";
import { type Ended, run } from "../support/processes.ts";
import { startAsked, TEXT } from "./asked.ts";

const RIGHT = `
import { createClient, unwrap } from "xpeft-edge/client";

declare const process: { argv: string[] };
const [url = "", key = "", inputs = ""] = process.argv.slice(2);

const client = createClient(url, { key });
const { predictions } = await unwrap(
  client.v1.predict.$post({ json: { task: "demo", profile: "demo-000", inputs, topK: 3 } }),
);
const unknown = await client.v1.predict.$post({ json: { task: "demo", profile: "nobody", inputs } });
const code: "unknown_profile" | null =
  unknown.status === 404 && (await unknown.json()).code === "unknown_profile" ? "unknown_profile" : null;
console.log(JSON.stringify({ top: predictions[0]?.top, code }));
`;

const WRONG = `
import { createClient, unwrap } from "xpeft-edge/client";

const client = createClient("http://localhost:8787");
client.v1.predict.$post({ json: { task: "news", profile: "news-000", inputs: "A text", top_k: 3 } });
client.v1.predict.$post({ json: { task: "news", inputs: [{ text: "A text" }] } });
const { predictions } = await unwrap(client.v1.tasks.$get());
const response = await client.v1.tasks.$get();
if (response.status === 404) (await response.json()).code === "no_such_code";
client.v1.nothing.$get();
`;

let asked: Awaited<ReturnType<typeof startAsked>>;
let project: string;

/** An empty project that has installed the package and Hono, and nothing else. */
beforeAll(async () => {
  asked = await startAsked({ vars: { PUBLIC_PREDICT: "false" } });
  project = await mkdtemp(join(tmpdir(), "xpeft-outside-"));
  const modules = join(project, "node_modules");
  await mkdir(modules);
  const shell = process.platform === "win32";
  await promisify(execFile)("npm", ["pack", "--pack-destination", project], { cwd: root, shell });
  const tarball = (await readdir(project)).find((name) => name.endsWith(".tgz")) ?? "";
  await promisify(execFile)("tar", ["-xzf", tarball], { cwd: project });
  await rename(join(project, "package"), join(modules, "xpeft-edge"));
  await symlink(join(root, "node_modules", "hono"), join(modules, "hono"), "junction");
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await writeFile(join(project, "right.ts"), RIGHT);
  await writeFile(join(project, "wrong.ts"), WRONG);
}, 120_000);
afterAll(async () => {
  await asked.worker.close();
  await rm(project, { recursive: true, force: true });
});

/** Compiles a file of the project; the package's declarations too, so that a name that they lack would be an error. */
async function compile(file: string): Promise<Ended> {
  const options = { strict: true, skipLibCheck: false, noEmit: true, module: "nodenext", target: "es2024", types: [] };
  const config = { compilerOptions: { ...options, lib: ["es2024", "dom"] }, files: [file] };
  const path = join(project, `${file}.json`);
  await writeFile(path, JSON.stringify(config));
  return run([join(root, "node_modules", "typescript", "bin", "tsc"), "--pretty", "false", "-p", path]);
}

describe("the package, outside", () => {
  it("has the client, and nothing of the Worker", async () => {
    const files = await readdir(join(project, "node_modules", "xpeft-edge"), { recursive: true, withFileTypes: true });
    expect(files.flatMap((file) => (file.isFile() ? [file.name] : [])).sort()).toEqual([
      "LICENSE",
      "NOTICE",
      "README.md",
      ...["api.d.ts", "api.js", "index.d.ts", "index.js", "lines.d.ts", "lines.js"],
      "package.json",
      "paths.d.ts",
      "paths.js",
      ...["problem.d.ts", "problem.js"],
    ]);
  });

  it("compiles in strict mode, and runs", async () => {
    expect(await compile("right.ts")).toEqual({ code: 0, stdout: "", stderr: "" });
    const key = await asked.worker.makeKey({ scopes: ["predict"] });
    const { stdout, stderr } = await run([join(project, "right.ts"), asked.worker.url.href, key, TEXT]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({ top: await asked.ranked(TEXT, "scores"), code: "unknown_profile" });
  });

  it("does not compile with wrong fields, routes or codes", async () => {
    const { code, stdout } = await compile("wrong.ts");
    expect(code).not.toBe(0);
    const lines = stdout.matchAll(/wrong\.ts\((\d+),/g);
    expect([...new Set(Array.from(lines, ([, line]) => Number(line)))], stdout).toEqual([5, 6, 7, 9, 10]);
  });
});
