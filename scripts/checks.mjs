// What is checked without running the project: format, lint, types, imports.
import { join } from "node:path";
import { node, python, root, training } from "./install.mjs";

const windows = process.platform === "win32";
const bin = (name) => join(root, "node_modules", name);
const astGrep = bin(`@ast-grep/cli/ast-grep${windows ? ".exe" : ""}`);

// dependency-cruiser says that TypeScript 7 has no API for it. It reads the sources by swc, which needs none.
const NO_TYPESCRIPT_API = /‼ missing-tsc-transpiler:.*?\n\s+=> [^\n]*\n/s;

/** @type {import("./parts.mjs").Part[]} */
export const typescriptChecks = [
  { name: "biome", command: node, args: [bin("@biomejs/biome/bin/biome"), "ci", "."] },
  { name: "tsc", command: node, args: [bin("typescript/bin/tsc"), "--noEmit"] },
  { name: "tsc pages", command: node, args: [bin("typescript/bin/tsc"), "--noEmit", "-p", "playground"] },
  {
    name: "imports",
    command: node,
    args: [
      bin("dependency-cruiser/bin/dependency-cruiser.mjs"),
      ...["src", "functions", "client", "node", "cli", "schema", "playground"],
    ],
    noise: NO_TYPESCRIPT_API,
  },
  // Files, exports and dependencies that nothing uses.
  { name: "knip", command: node, args: [bin("knip/bin/knip.js")] },
  // Samples that each rule must find and leave alone, then the code itself.
  { name: "ast-grep test", command: astGrep, args: ["test", "--skip-snapshot-tests"] },
  { name: "ast-grep scan", command: astGrep, args: ["scan", "--error"] },
];

/** @type {import("./parts.mjs").Part[]} */
export const pythonChecks = [
  { name: "ruff format", command: python, args: ["-m", "ruff", "format", "--check"], cwd: training },
  { name: "ruff check", command: python, args: ["-m", "ruff", "check"], cwd: training },
  { name: "mypy", command: python, args: ["-m", "mypy"], cwd: training },
];
