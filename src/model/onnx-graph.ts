import { type InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { type ReadFile, readVerified } from "../bundle/files.ts";
import type { BundleFile } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import { openSession, runSerially } from "./onnx-runtime.ts";

/** What a graph of a bundle must take, each input with its shape, and give. */
export interface GraphContract {
  /** For messages: "encoder". */
  readonly name: string;
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: readonly string[];
}

/** One of a bundle's graphs, open in ONNX Runtime. */
export interface Graph {
  /**
   * Runs the graph, once it is its turn among all graphs.
   *
   * @param outputs which of them are wanted, each with how many numbers it must have
   * @param feeds gives the inputs when the turn has come; what it throws is thrown
   * @throws XpeftError `bundle_unusable` if ONNX Runtime fails, or gives anything else than so many numbers
   */
  run<Name extends string>(
    outputs: Readonly<Record<Name, number>>,
    feeds: () => Record<string, Tensor>,
  ): Promise<Record<Name, Float32Array>>;

  /** Gives back its memory. */
  release(): Promise<void>;
}

/**
 * Opens a graph of a bundle. Its files are let go as soon as ONNX Runtime has its copy.
 *
 * @param wasm ONNX Runtime's own WASM, compiled
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt`, or `bundle_unusable` if ONNX Runtime refuses it or
 * its inputs and outputs are not those of the contract
 */
export async function openGraph(
  wasm: WebAssembly.Module,
  read: ReadFile,
  graph: BundleFile,
  weights: readonly BundleFile[],
  contract: GraphContract,
): Promise<Graph> {
  const bytes = await readVerified(read, graph);
  const externalData = [];
  for (const file of weights) externalData.push({ path: file.path, data: await readVerified(read, file) });
  const session = await openSession(wasm, bytes, externalData).catch((cause: unknown) => {
    throw unusable(`ONNX Runtime cannot open the ${contract.name}.`, cause);
  });
  const fault = contractFault(session, contract);
  if (fault !== null) {
    // Whoever loads again would else pay for this one's weights too.
    await runSerially(() => session.release());
    throw unusable(fault);
  }
  return {
    async run<Name extends string>(outputs: Readonly<Record<Name, number>>, feeds: () => Record<string, Tensor>) {
      const found = await runSerially(async () => {
        const given = feeds();
        return await session.run(given, Object.keys(outputs)).catch((cause: unknown) => {
          throw unusable(`The ${contract.name} failed on a text.`, cause);
        });
      });
      const read = Object.entries<number>(outputs).map(([name, length]) => {
        const numbers = found[name]?.data;
        if (!(numbers instanceof Float32Array) || numbers.length !== length) {
          throw unusable(`The ${contract.name} did not give ${length} ${name}.`);
        }
        return [name, numbers];
      });
      return Object.fromEntries(read) as Record<Name, Float32Array>;
    },
    release: () => runSerially(() => session.release()),
  };
}

/** What is wrong with a graph that has not just these inputs, each of its shape, or does not give the outputs. */
function contractFault(session: InferenceSession, { name, inputs, outputs }: GraphContract): string | null {
  const found = session.inputMetadata.map((input) => `${input.name} ${JSON.stringify(input.isTensor && input.shape)}`);
  const wanted = Object.entries(inputs).map(([input, shape]) => `${input} ${JSON.stringify(shape)}`);
  if (found.sort().join() !== wanted.sort().join()) {
    return `The ${name} takes ${found.join(", ")} where format 1 has ${wanted.join(", ")}.`;
  }
  const missing = outputs.find((output) => !session.outputNames.includes(output));
  return missing === undefined ? null : `The ${name} has no output named ${missing}.`;
}

/** Numbers as an input. */
export function floatTensor(numbers: Float32Array, shape: readonly number[]): Tensor {
  return new Tensor("float32", numbers, shape);
}

function unusable(message: string, cause?: unknown): XpeftError {
  return new XpeftError("bundle_unusable", message, { reason: "files", cause });
}
