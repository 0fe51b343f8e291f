import fc from "fast-check";
import { it } from "vitest";
import { runGuarded } from "../../../support/kernels/arena.ts";
import { createDrawn, draws, multiples, RUNS } from "../../../support/kernels/draws.ts";
import { gelu } from "../../../support/kernels/functions.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";

it("computes the GELU with the bits of the reference", () => {
  fc.assert(
    fc.property(multiples(4, 100), draws, (count, draw) => {
      const values = createDrawn(draw).floats(count);
      const [found] = runGuarded(({ kernels, inPlace, floats }) => {
        const place = inPlace(values);
        kernels.gelu(place, values.byteLength);
        return [floats(place, count)] as const;
      });
      expectSameBits(found, values.map(gelu));
    }),
    RUNS,
  );
});
