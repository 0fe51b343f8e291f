import fc from "fast-check";
import { expect, it } from "vitest";
import { readManifest } from "../../../src/bundle/files.ts";
import { type Gradients, openGradients, type ResidualText } from "../../../src/learn/gradients.ts";
import { createRandom } from "../../../src/learn/random.ts";
import { createTailGradients, loadTailGradients } from "../../../src/learn/tail-gradients.ts";
import type { MergedAdapters } from "../../../src/model/merge.ts";
import { compileKernels, readBundleFile } from "../../support/default-bundle.ts";
import { RUNTIMES } from "../../support/onnx-runtimes.ts";

const kernels = await compileKernels();

const normals = (seed: number) => {
  const random = createRandom(seed);
  return (length: number, size: number) => Float32Array.from({ length }, () => size * random.normal());
};

async function gradientsOf(gradients: Gradients, text: ResidualText, adapters: MergedAdapters, head: Float32Array) {
  let kept: MergedAdapters | undefined;
  const bias = text.target.map((_, label) => label / 4);
  const { loss, logits } = await gradients.of(text, adapters, head, bias, ({ down, up }) => {
    kept = { down: down.slice(), up: up.slice() };
  });
  if (!kept) throw new Error("no gradients");
  return { loss, logits, ...kept };
}

it.each(RUNTIMES.flatMap((onnx) => [1, 3, 64].map((tokens) => ({ onnx, tokens }))))(
  "has the loss, logits and gradients of the learning graph in $onnx.name, of a text of $tokens tokens",
  async ({ onnx, tokens }) => {
    const { manifest } = await readManifest(readBundleFile);
    const { hidden, bottleneck } = manifest;
    const graph = await openGradients(onnx, manifest, readBundleFile);
    const own = await loadTailGradients(manifest, readBundleFile, kernels);
    if (!own) throw new Error("the default bundle has no tail");
    const draw = normals(tokens);
    const adapters = { down: draw(hidden * bottleneck, 0.05), up: draw(hidden * bottleneck, 0.05) };
    for (const target of [Float32Array.of(0, 0, 1), Float32Array.of(0, 0.6, 0.4)]) {
      const text = { residual: draw(tokens * hidden, 1), target };
      const head = draw(3 * (hidden + 1), 0.3);
      const expected = await gradientsOf(graph, text, adapters, head);
      const found = await gradientsOf(own, text, adapters, head);
      expect(found.loss).toBeCloseTo(expected.loss, 5);
      for (const name of ["logits", "down", "up"] as const) {
        const most = Math.max(1, ...expected[name].map(Math.abs));
        const gaps = found[name].map((value, i) => Math.abs(value - (expected[name][i] ?? Number.NaN)));
        expect(Math.max(...gaps)).toBeLessThan(5e-6 * most);
      }
    }
    await graph.release();
  },
);

it("says how the loss changes, with either pooling", async () => {
  const [hidden, bottleneck, step] = [8, 4, 1e-2];
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom("mean" as const, "cls" as const),
      async (seed, tokens, pooling) => {
        const draw = normals(seed);
        const spec = { hidden, bottleneck, pooling, epsilon: 1e-5 };
        const gradients = await createTailGradients(spec, draw(2 * hidden, 1), kernels);
        const text = { residual: draw(tokens * hidden, 1), target: Float32Array.of(0.25, 0.75) };
        const head = draw(2 * (hidden + 1), 0.5);
        const adapters = { down: draw(hidden * bottleneck, 1), up: draw(hidden * bottleneck, 1) };
        const { up } = await gradientsOf(gradients, text, adapters, head);
        const direction = draw(hidden * bottleneck, 1);
        // Along the up projection the loss is smooth; along the down projection relu has kinks.
        const moved = (sign: number) => ({
          ...adapters,
          up: adapters.up.map((value, i) => value + sign * step * (direction[i] ?? 0)),
        });
        const [before, after] = [
          await gradientsOf(gradients, text, moved(-1), head),
          await gradientsOf(gradients, text, moved(1), head),
        ];
        const slope = up.reduce((sum, value, i) => sum + value * (direction[i] ?? 0), 0);
        expect((after.loss - before.loss) / (2 * step)).toBeCloseTo(slope, 1);
      },
    ),
    { numRuns: 100 },
  );
});
