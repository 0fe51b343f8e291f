import { beforeAll, describe, expect, it } from "vitest";
import { rateFactor } from "../../../src/learn/adam.ts";
import { createMaskOptimizer } from "../../../src/learn/mask-optimizer.ts";
import type { AdapterPool } from "../../../src/model/pool/pool.ts";
import { createSignPool } from "../../../src/model/pool/sign.ts";
import golden from "../../fixtures/golden.json" with { type: "json" };
import { compileKernels } from "../../support/folder.ts";
import { trainedPool } from "../../support/pools.ts";

describe.each(golden.learning.map((given) => ({ kind: given.pool === undefined ? "sign" : "trained", given })))(
  "the companion's steps over a $kind pool",
  ({ given }) => {
    const { layers, hidden, bottleneck, ...sizes } = given.shape;
    const entries = hidden * bottleneck;
    let pool: AdapterPool;

    beforeAll(async () => {
      const kernels = await compileKernels();
      const shape = { layers, hidden, bottleneck };
      if (given.pool === undefined) {
        const { seed, scale } = given;
        pool = await createSignPool({ ...shape, pool: { ...sizes, seed: seed ?? 0, scale: scale ?? 0 } }, kernels);
      } else {
        pool = await trainedPool({ ...shape, pool: sizes }, new Uint8Array(Buffer.from(given.pool, "base64")));
      }
    });

    it("choose the same adapters and come to the same logits", () => {
      const learner = createMaskOptimizer(pool, 0, Float64Array.from(given.start.flat()), given.tau);
      for (const [number, step] of given.steps.entries()) {
        learner.draw(Float64Array.from(step.noise.flat()));
        const side = (part: number) => Float32Array.from(step.gradient.flatMap((layer) => layer[part] ?? []));
        const progress = (number + 1) / (given.steps.length + 1);
        learner.step({ down: side(0), up: side(1) }, given.rate * rateFactor(progress, given.warmup));
        for (const [at, logit] of step.logits.flat().entries()) expect(learner.logits[at]).toBeCloseTo(logit, 7);
      }
    });

    it("leave the layers before the first as they are", () => {
      const own = 2 * sizes.size;
      const learner = createMaskOptimizer(pool, 1, Float64Array.from(given.start.flat().slice(own)), given.tau);
      const whole = createMaskOptimizer(pool, 0, Float64Array.from(given.start.flat()), given.tau);
      expect(learner.draw(null).down).toEqual(whole.draw(null).down.slice(entries));
      expect([...learner.chosen()]).toEqual([...whole.chosen()].slice(2 * sizes.chosen));
    });
  },
);
