import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_BUNDLE } from "../../node/files.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { python } from "../support/python.ts";
import type { Request } from "./edge-cases.ts";

/** Path of the default bundle's `tokenizer.json`. */
export const DEFAULT_TOKENIZER = join(DEFAULT_BUNDLE, "tokenizer.json");

/** Token ids and type ids. */
export type Tokens = readonly [ids: readonly number[], typeIds: readonly number[]];

/** Returns the Python tokenizer's tokens for each text. */
export function pythonTokens(requests: readonly Request[], file = DEFAULT_TOKENIZER): Tokens[] {
  const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, "reference.py"), file], {
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

/**
 * Returns the texts that the engine and Python tokenize differently, each with both results.
 *
 * @param file path of a `tokenizer.json`
 */
export function disagreements(requests: readonly Request[], file = DEFAULT_TOKENIZER): object[] {
  const tokenizer = createTokenizer(readFileSync(file));
  const fromPython = pythonTokens(requests, file);
  return requests.flatMap((request, index) => {
    const { ids, typeIds } = tokenizer.encode(request, request.maxTokens);
    const engine: Tokens = [[...ids], [...typeIds]];
    const python = fromPython[index];
    return JSON.stringify(engine) === JSON.stringify(python) ? [] : [{ ...request, engine, python }];
  });
}
