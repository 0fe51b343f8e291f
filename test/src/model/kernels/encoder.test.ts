import fc from "fast-check";
import { it } from "vitest";
import { createKernelTrunk } from "../../../../src/model/kernel-trunk.ts";
import { compileModules } from "../../../support/default-bundle.ts";
import { createDrawn, draws, multiples } from "../../../support/kernels/draws.ts";
import { drawEncoder, runToResidual } from "../../../support/kernels/encoder.ts";
import { packEncoder } from "../../../support/kernels/pack-encoder.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";
import { isLongForm } from "../../../support/long-form.ts";

const { encoderKernels } = await compileModules();

/** Small encoders, and texts with and without a whole block of 32 rows. */
const cases = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  heads: fc.integer({ min: 1, max: 3 }),
  size: multiples(8, 2),
  intermediate: multiples(8, 6),
  bottleneck: multiples(4, 3),
  tokens: fc.integer({ min: 1, max: 70 }),
  kind: fc.constantFrom("any", "padding", "last type"),
  draw: draws,
});

it("runs an encoder of any size with the bits of the reference", async () => {
  if (!encoderKernels) throw new Error("this machine has relaxed SIMD");
  await fc.assert(
    fc.asyncProperty(cases, async ({ layers, heads, size, intermediate, bottleneck, tokens, kind, draw }) => {
      const hidden = heads * size;
      const shape = { layers, hidden, heads, intermediate, bottleneck, epsilon: 1e-12 };
      const sizes = { ...shape, words: 9, types: 2, positions: tokens };
      const drawn = createDrawn(draw);
      const encoder = drawEncoder(sizes, drawn);
      const text = {
        ids: drawn.integers(tokens, 0, kind === "padding" ? 0 : 8),
        typeIds: drawn.integers(tokens, kind === "last type" ? 1 : 0, 1),
      };
      const entries = layers * hidden * bottleneck;
      const adapters = { down: drawn.floats(entries), up: drawn.floats(entries) };
      const trunk = await createKernelTrunk(encoderKernels, sizes, [packEncoder(sizes, encoder)]);
      expectSameBits(await trunk.runToResidual(text, () => adapters), runToResidual(sizes, encoder, text, adapters));
    }),
    { numRuns: isLongForm ? 2_000 : 50 },
  );
});
