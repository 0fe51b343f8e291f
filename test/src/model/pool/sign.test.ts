import { createCipheriv, createHash } from "node:crypto";
import { expect, it } from "vitest";
import { createSignPool } from "../../../../src/model/pool/sign.ts";
import { compileKernels } from "../../../support/default-bundle.ts";

const kernels = await compileKernels();

/** Returns the pool's bits as docs/formats.md defines them, by another implementation of SHA-256 and AES. */
function keystream(seed: number, length: number): Uint8Array {
  const key = createHash("sha256").update(`xpeft-sign-pool/1:${seed}`).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, new Uint8Array(16)).update(new Uint8Array(length));
}

it.each([
  { hidden: 8, bottleneck: 4, bytes: 4 },
  { hidden: 8, bottleneck: 3, bytes: 3 },
  { hidden: 5, bottleneck: 3, bytes: 2 },
  { hidden: 11, bottleneck: 3, bytes: 5 },
])(
  "is the keystream from the pool's first layer on, matrices of $hidden by $bottleneck signs in $bytes bytes each",
  async ({ hidden, bottleneck, bytes }) => {
    const spec = { layers: 5, hidden, bottleneck, pool: { firstLayer: 3, seed: 7, size: 5, chosen: 2, scale: 0.5 } };
    const { signs } = await createSignPool(spec, kernels);
    expect(Buffer.from(signs)).toEqual(keystream(7, 2 * 2 * 5 * bytes));
  },
);

it("differs for another seed", async () => {
  const spec = { layers: 1, hidden: 8, bottleneck: 4, pool: { firstLayer: 0, seed: 1, size: 4, chosen: 2, scale: 1 } };
  const other = { ...spec, pool: { ...spec.pool, seed: 2 } };
  expect((await createSignPool(spec, kernels)).signs).not.toEqual((await createSignPool(other, kernels)).signs);
});
