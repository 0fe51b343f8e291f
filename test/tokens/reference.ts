import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_BUNDLE } from "../../node/files.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { python } from "../support/python.ts";
import type { Request } from "./edge-cases.ts";

const TOKENIZER = join(DEFAULT_BUNDLE, "tokenizer.json");

/** Token ids and type ids. */
export type Tokens = readonly [ids: readonly number[], typeIds: readonly number[]];

/** Returns the Python tokenizer's tokens for each text. */
export function pythonTokens(requests: readonly Request[]): Tokens[] {
  const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, "reference.py"), TOKENIZER], {
    input: requests.map((request) => JSON.stringify(request)).join("\n"),
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const tokenizer = createTokenizer(readFileSync(TOKENIZER));

/** Returns the texts that the engine and Python tokenize differently, each with both results. */
export function disagreements(requests: readonly Request[]): object[] {
  const fromPython = pythonTokens(requests);
  return requests.flatMap((request, index) => {
    const { ids, typeIds } = tokenizer.encode(request, request.maxTokens);
    const engine: Tokens = [[...ids], [...typeIds]];
    const python = fromPython[index];
    return JSON.stringify(engine) === JSON.stringify(python) ? [] : [{ ...request, engine, python }];
  });
}
