import { beforeAll, describe, expect, it } from "vitest";
import { rateFactor } from "../../../src/learn/adam.ts";
import { createMaskOptimizer } from "../../../src/learn/mask-optimizer.ts";
import type { AdapterPool } from "../../../src/model/pool/pool.ts";
import { createSignPool } from "../../../src/model/pool/sign.ts";
import golden from "../../fixtures/golden.json" with { type: "json" };
import { compileKernels } from "../../support/default-bundle.ts";
import { maskShapeFrom, poolShapeOf, trainedPool } from "../../support/pools.ts";

describe.each(golden.learning.map((trace) => ({ kind: trace.pool === undefined ? "sign" : "trained", trace })))(
  "the companion's steps over a $kind pool",
  ({ trace }) => {
    const { chosen, size } = trace.shape;
    const entries = trace.shape.hidden * trace.shape.bottleneck;
    let pool: AdapterPool;

    beforeAll(async () => {
      const kernels = await compileKernels();
      const shape = poolShapeOf(maskShapeFrom(trace.shape), trace.shape);
      if (trace.pool === undefined) {
        const { seed, scale } = trace;
        pool = await createSignPool({ ...shape, pool: { ...shape.pool, seed: seed ?? 0, scale: scale ?? 0 } }, kernels);
      } else {
        pool = await trainedPool(shape, new Uint8Array(Buffer.from(trace.pool, "base64")));
      }
    });

    it("choose the same adapters and come to the same logits", () => {
      const logits = Float64Array.from(trace.start.flat());
      const optimizer = createMaskOptimizer({ pool, firstLayer: 0, taskAdapter: null }, logits, trace.tau);
      for (const [number, step] of trace.steps.entries()) {
        optimizer.draw(Float64Array.from(step.noise.flat()));
        const side = (part: number) => Float32Array.from(step.gradient.flatMap((layer) => layer[part] ?? []));
        const progress = (number + 1) / (trace.steps.length + 1);
        optimizer.step({ down: side(0), up: side(1) }, trace.rate * rateFactor(progress, trace.warmup));
        for (const [at, logit] of step.logits.flat().entries()) expect(logits[at]).toBeCloseTo(logit, 7);
      }
    });

    it("leave the layers before the first unchanged", () => {
      const layerLogits = 2 * size;
      const optimizer = createMaskOptimizer(
        { pool, firstLayer: 1, taskAdapter: null },
        Float64Array.from(trace.start.flat().slice(layerLogits)),
        trace.tau,
      );
      const whole = createMaskOptimizer(
        { pool, firstLayer: 0, taskAdapter: null },
        Float64Array.from(trace.start.flat()),
        trace.tau,
      );
      const noNoise = new Float64Array(trace.start.flat().length);
      expect(optimizer.draw(noNoise).down).toEqual(whole.draw(noNoise).down.slice(entries));
      expect([...optimizer.chosen()]).toEqual([...whole.chosen()].slice(2 * chosen));
    });
  },
);
