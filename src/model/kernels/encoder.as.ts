// What encoder.wasm exports: the steps of an encoder, for machines with relaxed SIMD. All work is in one thread, in the memory
// of the host. Products of int8 are exact and sums have one order, so every machine gives the same bits.

export { attend } from "./attention.as";
export { adaptRows, embed, normalizeRows } from "./blocks.as";
export { gelu } from "./functions.as";
export { isFused, multiply, quantize } from "./products.as";
export { addRow } from "./rows.as";
