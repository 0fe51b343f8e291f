import { describe, expect, it } from "vitest";
import { readManifest } from "../../../src/bundle/files.ts";
import { type Manifest, oneWithRole, withRole } from "../../../src/bundle/manifest.ts";
import { type GraphContract, openGraph } from "../../../src/model/onnx-graph.ts";
import type { OnnxRuntime } from "../../../src/model/onnx-runtime.ts";
import { readBundleFile } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";
import { RUNTIMES } from "../../support/onnx-runtimes.ts";

const LABELS = 3;

/** Returns the inputs and outputs of the default bundle's learning graph. */
const contractOf = ({ layers, hidden, bottleneck, learning }: Manifest) => ({
  name: "learning graph",
  inputs: {
    residual: ["T", hidden],
    adapter_down: [layers - learning.firstLayer, hidden, bottleneck],
    adapter_up: [layers - learning.firstLayer, bottleneck, hidden],
    head: ["labels", hidden],
    bias: ["labels"],
    target: ["labels"],
  },
  outputs: ["loss", "logits"],
});

type Contract = ReturnType<typeof contractOf>;

/** Opens the graph under a changed contract. */
async function openLearning(onnx: OnnxRuntime, change: (contract: Contract) => GraphContract) {
  const { manifest } = await readManifest(readBundleFile);
  const weights = withRole(manifest.files, "weights").filter(({ path }) => manifest.learning.weights.includes(path));
  const learning = oneWithRole(manifest.files, "learning");
  const graph = await openGraph(onnx, readBundleFile, learning, weights, change(contractOf(manifest)));
  /** Returns the inputs of a text of so many tokens. A `biasLength` other than the label count makes the run fail. */
  const feeds = (tokens: number, biasLength = LABELS) => {
    const { inputs } = contractOf(manifest);
    const numbers = (shape: readonly (number | string)[]) => {
      const sizes = shape.map((size) => (size === "T" ? tokens : size === "labels" ? LABELS : Number(size)));
      return { numbers: new Float32Array(sizes.reduce((product, size) => product * size, 1)).fill(0.01), shape: sizes };
    };
    const all = Object.entries(inputs).map(([name, shape]) => [name, numbers(name === "bias" ? [biasLength] : shape)]);
    return () => Object.fromEntries(all);
  };
  return { graph, feeds };
}

describe.each(RUNTIMES)("a bundle's graph in ONNX Runtime, $name", (onnx) => {
  const opened = (change = (contract: Contract): GraphContract => contract) => openLearning(onnx, change);

  it("returns the requested outputs in the expected lengths", async () => {
    const { graph, feeds } = await opened();
    const { loss, logits } = await graph.run({ loss: 1, logits: LABELS }, feeds(4));
    expect(loss).toHaveLength(1);
    expect(logits).toHaveLength(LABELS);
    expect([...logits].every(Number.isFinite)).toBe(true);
    expect(Object.keys(await graph.run({ logits: LABELS }, feeds(1)))).toEqual(["logits"]);
    await expect(graph.run({ logits: LABELS + 1 }, feeds(4))).rejects.toThrow("did not give 4 numbers of logits");
    await expect(graph.run({ logits: LABELS - 1 }, feeds(4))).rejects.toThrow(errorWithCode("bundle_unusable"));
    await graph.release();
  });

  it("reports a failed run with ONNX Runtime's message, and can run again", async () => {
    const { graph, feeds } = await opened();
    const failed = await graph.run({ loss: 1 }, feeds(4, LABELS + 1)).catch((error: Error) => error);
    expect(failed).toEqual(errorWithCode("bundle_unusable"));
    expect(failed).toMatchObject({ message: "The learning graph failed on a text.", cause: expect.any(Error) });
    const feedError = new Error("from the feeds");
    const feeding = graph.run({ loss: 1 }, () => {
      throw feedError;
    });
    await expect(feeding).rejects.toBe(feedError);
    expect((await graph.run({ loss: 1 }, feeds(4))).loss).toHaveLength(1);
    await graph.release();
  });

  it("does not run after release", async () => {
    const { graph, feeds } = await opened();
    await graph.release();
    await expect(graph.run({ loss: 1 }, feeds(4))).rejects.toThrow(errorWithCode("bundle_unusable"));
  });

  it.each<[string, string, (contract: Contract) => GraphContract]>([
    [
      "has an input of another shape",
      'bias ["T"]',
      ({ inputs, ...rest }) => ({ ...rest, inputs: { ...inputs, bias: ["T"] } }),
    ],
    ["lacks an input", "gain", ({ inputs, ...rest }) => ({ ...rest, inputs: { ...inputs, gain: ["T"] } })],
    ["has an undeclared input", "target", ({ inputs: { target: _, ...inputs }, ...rest }) => ({ ...rest, inputs })],
    ["lacks an output", "no output named slope", (contract) => ({ ...contract, outputs: ["loss", "slope"] })],
  ])("is rejected if it %s", async (_, why, change) => {
    const opening = opened(change);
    await expect(opening).rejects.toThrow(errorWithCode("bundle_unusable"));
    await expect(opening).rejects.toThrow(why);
  });

  it("is rejected if ONNX Runtime cannot read it", async () => {
    const { manifest } = await readManifest(readBundleFile);
    const noGraph = oneWithRole(manifest.files, "tokenizer");
    const opening = openGraph(onnx, readBundleFile, noGraph, [], contractOf(manifest));
    await expect(opening).rejects.toMatchObject({
      code: "bundle_unusable",
      message: "ONNX Runtime cannot open the learning graph.",
      cause: expect.any(Error),
    });
  });
});
