import { layOutWeights, type PackedSizes, type Product } from "../../../src/model/packed-layout.ts";
import type { Encoder, Linear } from "./encoder.ts";
import { packWeights } from "./products.ts";
import { bytesOf, type Numbers } from "./same-bits.ts";

/** Returns the packed file of an encoder (docs/formats.md, "Packed encoder"). */
export function packEncoder(sizes: PackedSizes, { embeddings, layers }: Encoder): Uint8Array {
  const { blocks, places, words, wordScales, types, positions, norm } = layOutWeights(sizes);
  const bytes = new Uint8Array(places.end());
  const write = (address: number, values: Numbers) => bytes.set(bytesOf(values), address);
  const writeLinear = (product: Product, { weights, factors, biases, inverses }: Linear) => {
    write(product.weights, packWeights(weights, product.outputs));
    write(product.factors, factors);
    write(product.biases, biases);
    write(product.inverses, inverses);
  };
  write(words, embeddings.words);
  write(wordScales, embeddings.scales);
  write(types, embeddings.types);
  write(positions, embeddings.positions);
  write(norm, embeddings.norm);
  for (const [index, layer] of layers.entries()) {
    const block = blocks[index];
    if (!block) throw new Error("the layout has fewer layers than the encoder");
    for (const name of ["qkv", "attention", "up", "down"] as const) writeLinear(block[name], layer[name]);
    write(block.attentionNorm, layer.attentionNorm);
    write(block.norm, layer.norm);
  }
  return bytes;
}
