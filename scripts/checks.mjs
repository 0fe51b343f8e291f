// The checks that do not run the project: format, lint, types, imports, links between documents.
import { join } from "node:path";
import { node, python, root, training } from "./install.mjs";

const windows = process.platform === "win32";
const bin = (name) => join(root, "node_modules", name);
const astGrep = bin(`@ast-grep/cli/ast-grep${windows ? ".exe" : ""}`);

// dependency-cruiser warns that TypeScript 7 has no API. It parses with swc, so the warning does not matter.
const NO_TYPESCRIPT_API = /‼ missing-tsc-transpiler:.*?\n\s+=> [^\n]*\n/s;

/** The folders whose imports are checked. */
export const sourceFolders = ["src", "app", "functions", "client", "node", "cli", "schema", "playground", "examples"];

/** @type {import("./parts.mjs").Part[]} */
export const typescriptChecks = [
  { name: "biome", command: node, args: [bin("@biomejs/biome/bin/biome"), "ci", "."] },
  { name: "tsc", command: node, args: [bin("typescript/bin/tsc"), "--noEmit"] },
  { name: "tsc pages", command: node, args: [bin("typescript/bin/tsc"), "--noEmit", "-p", "playground"] },
  {
    name: "imports",
    command: node,
    args: [bin("dependency-cruiser/bin/dependency-cruiser.mjs"), ...sourceFolders],
    noise: NO_TYPESCRIPT_API,
  },
  // Files, exports and dependencies that nothing uses.
  { name: "knip", command: node, args: [bin("knip/bin/knip.js")] },
  // Builds the site, which finds dead links.
  { name: "docs", command: node, args: [join(root, "scripts", "build-assets.mjs")] },
  // First the rules' own samples, then the code.
  { name: "ast-grep test", command: astGrep, args: ["test", "--skip-snapshot-tests"] },
  { name: "ast-grep scan", command: astGrep, args: ["scan", "--error"] },
];

// The notebook outside of `training/` follows the same rules.
const pythonFiles = [".", join("..", "examples"), "--config", "pyproject.toml"];

/** @type {import("./parts.mjs").Part[]} */
export const pythonChecks = [
  { name: "ruff format", command: python, args: ["-m", "ruff", "format", "--check", ...pythonFiles], cwd: training },
  { name: "ruff check", command: python, args: ["-m", "ruff", "check", ...pythonFiles], cwd: training },
  { name: "mypy", command: python, args: ["-m", "mypy"], cwd: training },
];
