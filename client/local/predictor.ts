import { XpeftError } from "../../src/errors.ts";
import { createEngine } from "../../src/serving/engine.ts";
import { type Answer, createPredictor, type PredictRequest } from "../../src/serving/predictor.ts";
import type { RowCache } from "../../src/serving/row-cache.ts";
import { type Download, openBundleFiles } from "./bundle-files.ts";
import { fetchKernels, type Kernels } from "./kernels.ts";
import { createRemoteRows } from "./rows.ts";
import { connect, type Service } from "./service.ts";

/** Answers predictions here, without a request to the service once it has the rows. */
export interface LocalPredictor {
  /** Id of the bundle. */
  readonly bundle: string;

  /**
   * Labels texts under their profiles. The texts stay here. The answer is that of `POST /v1/predict` for rows of the
   * same generation. If the service's engine is `kernels` too, logits are equal bit for bit, and scores but for the last
   * digit of the browser's exponential function.
   *
   * @throws ProblemError if rows are missing, and the service answers with an error
   * @throws XpeftError `unknown_task`, `unknown_profile`, `empty_text`, `text_too_long` or `overloaded`; or an error of
   * {@link RemoteRows.read}, such as `bundle_mismatch` after a deploy with another bundle
   * @throws UnreachableError if rows are missing, and the service cannot be reached
   */
  predict(request: PredictRequest): Promise<Answer>;

  /** Forgets tasks and profiles, so that the next prediction reads them again. */
  forgetRows(): void;
}

/** How a local predictor is opened. */
export interface LocalOptions {
  /** Is called as the bundle's bytes arrive. */
  readonly onDownload?: (download: Download) => void;
  /** The compiled kernels; by default the package's own files. */
  readonly kernels?: Promise<Kernels>;
}

/**
 * Loads a service's bundle into this page or worker. Its key needs the scope `predict` for the bundle and `write` to
 * read rows; it can be confined to one task and the start of a profile's id.
 *
 * @throws NoRelaxedSimdError where the browser has no relaxed SIMD
 * @throws ProblemError if the service answers with an error; UnreachableError
 * @throws XpeftError `bundle_unusable` if the bundle has no packed encoder; `bundle_file_corrupt`
 * @example
 * const local = await openLocalPredictor({ url: "http://localhost:8787", key });
 * const { predictions } = await local.predict({ task: "news", inputs: [{ profile: "news-000", text: "A text" }] });
 */
export async function openLocalPredictor(service: Service, options: LocalOptions = {}): Promise<LocalPredictor> {
  const { onDownload = () => {}, kernels = fetchKernels() } = options;
  const client = connect(service);
  const openEngine = async (mayBeCached: boolean) => {
    const [read, compiled] = await Promise.all([openBundleFiles(client, onDownload, mayBeCached), kernels]);
    return await createEngine({ read, onnx: null, ...compiled });
  };
  const engine = await openEngine(true).catch(async (error: unknown) => {
    if (!(error instanceof XpeftError && error.code === "bundle_file_corrupt")) throw error;
    // The browser may have a damaged file of an earlier deploy.
    return await openEngine(false);
  });
  const rows = createRemoteRows(client, engine.bundle);
  // The rows are a cache themselves.
  const cache: Pick<RowCache, "read"> = { read: (stores, task, ids) => stores.primary.read(task, ids, null) };
  const predictor = createPredictor({ engine, cache });
  const from = { stores: { nearest: rows, primary: rows }, freshness: "cached", tokenProfile: null } as const;
  return {
    bundle: engine.bundle.id,
    predict: (request) => predictor.predict(request, from),
    forgetRows: rows.forget,
  };
}
