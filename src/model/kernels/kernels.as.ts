// What kernels.wasm exports: `npm run build:kernels` makes it. All work is in one thread, in the memory of the host.
export { addGradients } from "./gradients.as";
export { addSigns, addSteps } from "./merge.as";
export { addTail } from "./tail.as";
