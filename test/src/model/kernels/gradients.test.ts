import fc from "fast-check";
import { it } from "vitest";
import { runGuarded } from "../../../support/kernels/arena.ts";
import { createDrawn, draws, multiples, RUNS } from "../../../support/kernels/draws.ts";
import { addGradients } from "../../../support/kernels/gradients.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";

it("adds a token's gradients with the bits of the reference", () => {
  const cases = fc.record({
    hidden: multiples(4, 8),
    bottleneck: multiples(4, 4),
    epsilon: fc.constantFrom(1e-12, 1e-5),
    draw: draws,
  });
  fc.assert(
    fc.property(cases, ({ hidden, bottleneck, epsilon, draw: chosen }) => {
      const { floats: draw } = createDrawn(chosen);
      const entries = hidden * bottleneck;
      const [token, ofOutput] = [draw(hidden), draw(hidden)];
      const layer = { norm: draw(2 * hidden), epsilon, unitEpsilon: 1e-5, down: draw(entries), up: draw(entries) };
      const start = { down: draw(entries), up: draw(entries) };
      const [ofDown, ofUp] = runGuarded(({ kernels, input, inPlace, allocate, floats }) => {
        const ofLayer = [input(layer.norm), epsilon, layer.unitEpsilon, input(layer.down), input(layer.up)] as const;
        const scratch = allocate(3 * 4 * (hidden + bottleneck));
        const targets = [inPlace(start.down), inPlace(start.up)] as const;
        const sizes = [4 * hidden, 4 * bottleneck] as const;
        kernels.addGradients(input(token), ...sizes, ...ofLayer, input(ofOutput), scratch, ...targets);
        return [floats(targets[0], entries), floats(targets[1], entries)] as const;
      });
      const expected = addGradients(token, layer, ofOutput, start);
      expectSameBits(ofDown, expected.down);
      expectSameBits(ofUp, expected.up);
    }),
    RUNS,
  );
});
