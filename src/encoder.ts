import { type InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { type ReadFile, readVerified } from "./bundle/files.ts";
import { type BundleFile, type Manifest, oneWithRole, withRole } from "./bundle/manifest.ts";
import { XpeftError } from "./errors.ts";
import type { MergedAdapters } from "./merge.ts";
import { openSession } from "./runtime.ts";
import type { TokenizedText } from "./tokenizer.ts";
import { inTurn } from "./turns.ts";

/** The frozen PLM with a place for adapters. */
export interface Encoder {
  /**
   * Reads one text through merged adapters.
   *
   * @param adapters gives them once it is the text's turn; what it throws is thrown
   * @returns pooled features, `[d]`
   * @throws XpeftError `bundle_unusable` if ONNX Runtime fails
   */
  run(text: Pick<TokenizedText, "ids" | "typeIds">, adapters: () => MergedAdapters): Promise<Float32Array>;
}

/**
 * Opens a bundle's encoder. Its files are let go as soon as ONNX Runtime has its copy.
 *
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt`, or `bundle_unusable` if ONNX Runtime refuses it or
 * its inputs and outputs are not those of docs/formats.md
 */
export async function createEncoder(wasm: WebAssembly.Module, manifest: Manifest, read: ReadFile): Promise<Encoder> {
  const session = await open(wasm, manifest.files, read);
  const { layers, hidden, bottleneck } = manifest;
  const fault = contractFault(session, {
    input_ids: [1, "T"],
    token_type_ids: [1, "T"],
    adapter_down: [layers, hidden, bottleneck],
    adapter_up: [layers, bottleneck, hidden],
    adapter_gain: [layers, bottleneck],
    adapter_shift: [layers, bottleneck],
  });
  if (fault !== null) {
    // Whoever loads again would else pay for this one's weights too.
    await session.release();
    throw unusable(fault);
  }
  const plain = new Float32Array(layers * bottleneck);
  const adapter_gain = new Tensor(
    "float32",
    plain.map(() => 1),
    [layers, bottleneck],
  );
  const adapter_shift = new Tensor("float32", plain, [layers, bottleneck]);
  // ONNX Runtime keeps a run's arguments on a stack that all sessions share, and waits while they are there.
  const oneAtATime = inTurn();

  return {
    async run({ ids, typeIds }, adapters) {
      const outputs = await oneAtATime(async () => {
        const { down, up } = adapters();
        const feeds = {
          input_ids: new Tensor("int32", ids, [1, ids.length]),
          token_type_ids: new Tensor("int32", typeIds, [1, ids.length]),
          adapter_down: new Tensor("float32", down, [layers, hidden, bottleneck]),
          adapter_up: new Tensor("float32", up, [layers, bottleneck, hidden]),
          adapter_gain,
          adapter_shift,
        };
        return await session.run(feeds).catch((cause: unknown) => {
          throw unusable("The encoder failed on a text.", cause);
        });
      });
      const features = outputs.features?.data;
      if (!(features instanceof Float32Array) || features.length !== hidden) {
        throw unusable(`The encoder did not give ${hidden} features.`);
      }
      return features;
    },
  };
}

async function open(wasm: WebAssembly.Module, files: readonly BundleFile[], read: ReadFile): Promise<InferenceSession> {
  const graph = await readVerified(read, oneWithRole(files, "graph"));
  const externalData = [];
  for (const file of withRole(files, "weights")) {
    externalData.push({ path: file.path, data: await readVerified(read, file) });
  }
  try {
    return await openSession(wasm, graph, externalData);
  } catch (cause) {
    throw unusable("ONNX Runtime cannot open the encoder.", cause);
  }
}

/** What is wrong with a graph that has not just these inputs, each of its shape, or does not give `features`. */
function contractFault(session: InferenceSession, shapes: Record<string, readonly (number | string)[]>): string | null {
  const found = session.inputMetadata.map((input) => `${input.name} ${JSON.stringify(input.isTensor && input.shape)}`);
  const wanted = Object.entries(shapes).map(([name, shape]) => `${name} ${JSON.stringify(shape)}`);
  if (found.sort().join() !== wanted.sort().join()) {
    return `The encoder takes ${found.join(", ")} where format 1 has ${wanted.join(", ")}.`;
  }
  return session.outputNames.includes("features") ? null : "The encoder has no output named features.";
}

function unusable(message: string, cause?: unknown): XpeftError {
  const hint = "Build the bundle again with the training companion of this version.";
  return new XpeftError("bundle_unusable", message, hint, { cause });
}
