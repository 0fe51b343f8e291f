import type { InferenceSession } from "onnxruntime-web/wasm";
import { type ReadFile, readVerified } from "../bundle/files.ts";
import type { BundleFile } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import type { OnnxRuntime } from "./onnx-runtime.ts";
import type { EngineName } from "./trunk.ts";

/** The inputs of a graph with their shapes, and its outputs. */
export interface GraphContract {
  /** For messages: "encoder". */
  readonly name: string;
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: readonly string[];
}

/** A graph's input. */
export interface GraphInput {
  readonly numbers: Int32Array | Float32Array;
  readonly shape: readonly number[];
}

/** A graph of a bundle, open in ONNX Runtime. */
export interface Graph {
  /** The build of ONNX Runtime. */
  readonly engine: EngineName;

  /**
   * Runs the graph when its turn among all graphs comes.
   *
   * @param outputs the wanted outputs, each with its expected length
   * @param feeds is called when the turn comes, and returns the inputs; its errors are passed on
   * @throws XpeftError `bundle_unusable` if ONNX Runtime fails or an output has another length
   */
  run<Name extends string>(
    outputs: Readonly<Record<Name, number>>,
    feeds: () => Readonly<Record<string, GraphInput>>,
  ): Promise<Record<Name, Float32Array>>;

  /** Releases its memory. */
  release(): Promise<void>;
}

/**
 * Opens a graph of a bundle. Its files are dropped as soon as ONNX Runtime has its copy.
 *
 * @param onnx null in a build without ONNX Runtime
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt`, or `bundle_unusable` if ONNX Runtime rejects it or
 * its inputs and outputs differ from the contract
 */
export async function openGraph(
  onnx: OnnxRuntime | null,
  read: ReadFile,
  graph: BundleFile,
  weights: readonly BundleFile[],
  contract: GraphContract,
): Promise<Graph> {
  if (!onnx) {
    const message = `The ${contract.name} needs ONNX Runtime, and this build has none.`;
    throw new XpeftError("bundle_unusable", message, { reason: "build" });
  }
  const bytes = await readVerified(read, graph);
  const externalData = [];
  for (const file of weights) externalData.push({ path: file.path, data: await readVerified(read, file) });
  const session = await onnx.open(bytes, externalData).catch((cause: unknown) => {
    throw unusable(`ONNX Runtime cannot open the ${contract.name}.`, cause);
  });
  const fault = contractFault(session, contract);
  if (fault !== null) {
    // Otherwise the next attempt would need memory for these weights too.
    await onnx.inTurn(() => session.release());
    throw unusable(fault);
  }
  return {
    engine: onnx.name,
    async run<Name extends string>(
      outputs: Readonly<Record<Name, number>>,
      feeds: () => Readonly<Record<string, GraphInput>>,
    ) {
      const results = await onnx.inTurn(async () => {
        const inputs = Object.entries(feeds()).map(([name, { numbers, shape }]) => [
          name,
          new onnx.Tensor(numbers, shape),
        ]);
        return await session.run(Object.fromEntries(inputs), Object.keys(outputs)).catch((cause: unknown) => {
          throw unusable(`The ${contract.name} failed on a text.`, cause);
        });
      });
      const named = Object.entries<number>(outputs).map(([name, length]) => {
        const numbers = results[name]?.data;
        if (!(numbers instanceof Float32Array) || numbers.length !== length) {
          throw unusable(`The ${contract.name} did not give ${length} numbers of ${name}.`);
        }
        return [name, numbers];
      });
      return Object.fromEntries(named) as Record<Name, Float32Array>;
    },
    release: () => onnx.inTurn(() => session.release()),
  };
}

/** Returns how a graph differs from its contract; null if it does not. */
function contractFault(session: InferenceSession, { name, inputs, outputs }: GraphContract): string | null {
  const actual = session.inputMetadata.map((input) => `${input.name} ${JSON.stringify(input.isTensor && input.shape)}`);
  const expected = Object.entries(inputs).map(([input, shape]) => `${input} ${JSON.stringify(shape)}`);
  if (actual.sort().join() !== expected.sort().join()) {
    return `The ${name} takes ${actual.join(", ")}; docs/formats.md has ${expected.join(", ")}.`;
  }
  const missing = outputs.find((output) => !session.outputNames.includes(output));
  return missing === undefined ? null : `The ${name} has no output named ${missing}.`;
}

function unusable(message: string, cause?: unknown): XpeftError {
  return new XpeftError("bundle_unusable", message, { reason: "files", cause });
}
