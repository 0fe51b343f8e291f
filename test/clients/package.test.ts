import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { root } from "../../scripts/install.mjs";
import { installPackage, packPackage } from "../support/packed.ts";
import { type CommandResult, freePort, run, runProgram, start, waitForResponse } from "../support/processes.ts";
import { profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { startReferenceWorker, TEXT } from "./reference-worker.ts";

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

const ENGINE = `
import { DEFAULT_BUNDLE, loadEngine, readProfilesFile, readTaskFile } from "xpeft-edge/engine";

declare const process: { argv: string[] };
const [task = "", profiles = "", text = ""] = process.argv.slice(2);

const engine = await loadEngine(DEFAULT_BUNDLE);
const read = await readTaskFile(task, engine.bundle);
const [parts] = await readProfilesFile(profiles, read, engine.bundle);
if (!parts) throw new RangeError("there is no profile");
const { predictions } = await engine.predict(read, [{ parts, input: { text } }]);
console.log(JSON.stringify(predictions[0]));
`;

const LOCAL = `
import { compileKernels, openLocalPredictor } from "xpeft-edge/local";

declare const process: { argv: string[]; getBuiltinModule(name: "fs"): { readFileSync(path: string): Uint8Array } };
const [url = "", key = "", text = ""] = process.argv.slice(2);

// Node does not fetch files; a bundler copies them into the page.
const read = (name: string) => process.getBuiltinModule("fs").readFileSync(\`node_modules/xpeft-edge/dist/src/model/kernels/\${name}.wasm\`);
const kernels = compileKernels(read("encoder"), read("kernels"));
const local = await openLocalPredictor({ url, key }, { kernels });
const { predictions } = await local.predict({ task: "demo", inputs: [{ profile: "demo-000", text }], topK: 3 });
console.log(JSON.stringify(predictions[0]?.top?.map(({ label }) => label)));
`;

let reference: Awaited<ReturnType<typeof startReferenceWorker>>;
let project: string;

/** The packed package has one copy of the bundle's two engines, which are 48 MB. */
const MOST_BYTES = 50e6;

/** An empty project with only the package installed. */
beforeAll(async () => {
  reference = await startReferenceWorker({ vars: { PUBLIC_PREDICT: "false" } });
  project = await mkdtemp(join(tmpdir(), "xpeft-outside-"));
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await installPackage(project);
  await writeFile(join(project, "right.ts"), RIGHT);
  await writeFile(join(project, "wrong.ts"), WRONG);
  await writeFile(join(project, "engine.ts"), ENGINE);
  await writeFile(join(project, "local.ts"), LOCAL);
});
afterAll(async () => {
  await reference.worker.close();
  await rm(project, { recursive: true, force: true });
});

/** Compiles a file of the project and the package's declarations, so a missing name is an error. */
async function compile(file: string): Promise<CommandResult> {
  const options = { strict: true, skipLibCheck: false, noEmit: true, module: "nodenext", target: "es2024", types: [] };
  const config = { compilerOptions: { ...options, lib: ["es2024", "dom"] }, files: [file] };
  const path = join(project, `${file}.json`);
  await writeFile(path, JSON.stringify(config));
  return run([join(root, "node_modules", "typescript", "bin", "tsc"), "--pretty", "false", "-p", path]);
}

describe("the installed package", () => {
  it("contains all that it needs once, and nothing of an earlier build", async () => {
    const at = (...parts: string[]) => readdir(join(project, "node_modules", "xpeft-edge", ...parts));
    const all = ["LICENSE", "NOTICE", "README.md", "bundles", "dist", "docs", "package.json", "schema", "templates"];
    expect((await at()).sort()).toEqual(all);
    expect((await at("dist")).sort()).toEqual([
      ...["app", "assets", "cli", "client", "functions", "node", "pages", "schema", "src"],
    ]);
    expect(await at("dist", "assets")).not.toContain("packed.0");
    const pages = ["api.html", "app.js.gz", "local.js.gz", "playground.html", "viewer.css.gz", "viewer.js.gz"];
    expect((await at("dist", "pages")).sort()).toEqual(pages);
    expect((await stat(await packPackage())).size).toBeLessThan(MOST_BYTES);
    const kernels = await at("dist", "src", "model", "kernels");
    expect(kernels.filter((name) => name.endsWith(".wasm"))).toEqual(["encoder.wasm", "kernels.wasm"]);
  });

  it("compiles in strict mode, and runs", async () => {
    expect(await compile("right.ts")).toEqual({ code: 0, stdout: "", stderr: "" });
    const key = await reference.worker.makeKey({ scopes: ["predict"] });
    const { stdout, stderr } = await run([join(project, "right.ts"), reference.worker.url.href, key, TEXT]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({ top: await reference.ranked(TEXT, "scores"), code: "unknown_profile" });
  });

  it("does not compile with wrong fields, routes or codes", async () => {
    const { code, stdout } = await compile("wrong.ts");
    expect(code).not.toBe(0);
    const lines = stdout.matchAll(/wrong\.ts\((\d+),/g);
    expect([...new Set(Array.from(lines, ([, line]) => Number(line)))], stdout).toEqual([5, 6, 7, 9, 10]);
  });

  it("predicts with the engine alone like the Worker, bit for bit", async () => {
    expect(await compile("engine.ts")).toEqual({ code: 0, stdout: "", stderr: "" });
    const files = { task: join(project, "task.json"), profiles: join(project, "profiles.ndjson") };
    await writeFile(files.task, taskFile(taskFor(await readBundle(DEFAULT_BUNDLE))));
    await writeFile(files.profiles, profilesFile("demo", profilesOf(1)));
    const { stdout, stderr } = await run([join(project, "engine.ts"), files.task, files.profiles, TEXT]);
    expect(stderr).toBe("");
    const { label, logits } = JSON.parse(stdout) as { label: string; logits: number[] };
    const ranked = await reference.ranked(TEXT, "logits");
    expect(label).toBe(ranked[0]?.label);
    expect(logits.toSorted((a, b) => b - a)).toEqual(ranked.map(({ score }) => score));
  });

  it("reports that native ONNX Runtime, which is optional, is not installed", async () => {
    const native =
      'import { DEFAULT_BUNDLE, loadEngine } from "xpeft-edge/engine"; await loadEngine(DEFAULT_BUNDLE, "native")';
    const args = ["--input-type=module", "--eval", native];
    const { code, stderr } = await runProgram(process.execPath, args, { cwd: project });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /needs onnxruntime-node, which is not installed\.[\s\S]*hint: 'npm install onnxruntime-node'/,
    );
  });

  it("labels texts of a page itself", async () => {
    expect(await compile("local.ts")).toEqual({ code: 0, stdout: "", stderr: "" });
    const { stdout, stderr } = await runProgram(
      process.execPath,
      ["local.ts", reference.worker.url.href, reference.worker.adminKey, TEXT],
      { cwd: project },
    );
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual((await reference.ranked(TEXT, "scores")).map(({ label }) => label).slice(0, 3));
  });

  it("has the command line, which reports missing parts", async () => {
    const xpeft = (...args: string[]) =>
      runProgram(process.execPath, ["node_modules/xpeft-edge/dist/cli/xpeft.js", ...args], { cwd: project });
    expect(await xpeft("bundle", "verify")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("test prediction succeeded"),
    });
    const service = ["--url", reference.worker.url.href, "--key", reference.worker.adminKey];
    expect(await xpeft("predict", "demo", TEXT, "--profile", "demo-000", ...service)).toMatchObject({ code: 0 });
    const { code, stderr } = await xpeft("keys", "list");
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /needs wrangler, which is not installed\.\n.*\n {2}.*--database.* npm install --save-dev wrangler\n$/,
    );
  });

  it("serves the demo, the pages and the documentation by itself, until SIGTERM", async () => {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const serve = ["node_modules/xpeft-edge/dist/cli/xpeft.js", "serve", "--demo", "--port", String(port)];
    const { child, output } = start(serve, { cwd: project });
    await waitForResponse(`${url}/healthz`);
    const body = JSON.stringify({ task: "news", profile: "news-000", inputs: "Senate passes bill after long night" });
    const json = { "content-type": "application/json" };
    const predicted = await fetch(`${url}/v1/predict`, { method: "POST", headers: json, body });
    expect(await predicted.json()).toMatchObject({ engine: "kernels", predictions: [{ label: "POLITICS" }] });
    for (const [path, content] of [
      ["/", "<title>xpeft-edge"],
      ["/docs/", "Every user, author or tenant"],
      ["/docs/api", "Fan-out"],
      ["/api", "viewer.js"],
    ] as const)
      expect(await (await fetch(url + path)).text(), path).toContain(content);
    child.kill("SIGTERM");
    expect(await once(child, "close"), output.stderr).toEqual([0, null]);
  });
});
