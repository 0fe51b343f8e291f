/**
 * The engine in a browser: it labels texts on the page itself, under the profiles of a service.
 *
 * @example
 * import { openLocalPredictor } from "xpeft-edge/local";
 *
 * const local = await openLocalPredictor({ url: "http://localhost:8787", key });
 * const { predictions } = await local.predict({ task: "news", inputs: [{ profile: "news-000", text: "A text" }] });
 */

export { XpeftError } from "../../src/errors.ts";
export type { Answer, PredictRequest } from "../../src/serving/predictor.ts";
export { ProblemError } from "../problem.ts";
export type { Download } from "./bundle-files.ts";
export { compileKernels, type Kernels, NoRelaxedSimdError } from "./kernels.ts";
export { type LocalOptions, type LocalPredictor, openLocalPredictor } from "./predictor.ts";
export { type Service, UnreachableError } from "./service.ts";
