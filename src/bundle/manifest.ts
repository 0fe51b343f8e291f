import * as z from "zod";
import { XpeftError } from "../errors.ts";
import { sha256Hex } from "../lib/sha256.ts";
import { earlierManifests } from "./earlier-manifests.ts";

/** Bundles of format 1 have no tail; from format 3 on, they have a packed encoder too. */
const FORMATS = ["xpeft-bundle/1", "xpeft-bundle/2", "xpeft-bundle/3"] as const;

/** The platform's limit for one asset. */
const MAX_FILE_BYTES = 25 * 2 ** 20;

/** Bytes of a weight and a bias. */
const TAIL_BYTES_A_NUMBER = 8;
/** Numbers in one of the kernel's vectors. */
const TAIL_VECTOR = 4;
/** Inputs and outputs that the kernels of a packed encoder take at a time. */
const PACKED_GROUP = 8;

const count = z.int().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const file = z.strictObject({
  path: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/, "is not a plain file name")
    .refine((path) => path !== "manifest.json", "cannot list itself"),
  role: z.enum(["graph", "learning", "weights", "pool", "tail", "packed", "tokenizer", "notice"]),
  bytes: z.int().min(0),
  sha256,
});

/** One file of a bundle, with its expected size and hash. */
export type BundleFile = z.infer<typeof file>;

/** Returns the files that have a role. */
export function withRole(all: readonly BundleFile[], role: BundleFile["role"]): BundleFile[] {
  return all.filter((one) => one.role === role);
}

/** Returns the files that an engine without ONNX Runtime reads. */
export const withoutOnnxRuntime = (all: readonly BundleFile[]): BundleFile[] =>
  all.filter(({ role }) => role !== "graph" && role !== "learning" && role !== "weights");

/**
 * Returns the one file that has a role.
 *
 * @throws XpeftError `invalid_manifest` if there is none; a parsed manifest always has one
 */
export function oneWithRole(all: readonly BundleFile[], role: "graph" | "learning" | "tokenizer"): BundleFile {
  const [one] = withRole(all, role);
  if (one === undefined) throw invalid(`The manifest lists no ${role}.`);
  return one;
}

const files = z
  .array(file)
  .refine((all) => new Set(all.map(({ path }) => path)).size === all.length, "lists a file twice")
  .refine((all) => withRole(all, "graph").length === 1, "needs exactly one graph")
  .refine((all) => withRole(all, "learning").length === 1, "needs exactly one learning graph")
  .refine((all) => withRole(all, "tokenizer").length === 1, "needs exactly one tokenizer")
  .refine((all) => withRole(all, "weights").length >= 1, "needs weights")
  .refine((all) => all.every(({ bytes }) => bytes < MAX_FILE_BYTES), "has a file of 25 MiB or more");

const sizes = {
  firstLayer: z.int().min(0).default(0),
  // Adapters are numbered in 16 bits.
  size: count.max(2 ** 16),
  chosen: count,
};

const pool = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("sign"), seed: z.int().min(0), ...sizes, scale: z.number().positive() }),
    z.strictObject({ kind: z.literal("trained"), ...sizes }),
  ])
  .refine(({ size, chosen }) => chosen <= size, "chooses more adapters than it has");

const manifestSchema = z
  .strictObject({
    format: z.enum(FORMATS),
    name: z.string().min(1),
    plm: z.strictObject({ name: z.string().min(1), licence: z.string().min(1), sha256 }),
    layers: count,
    hidden: count,
    bottleneck: count,
    pool,
    pooling: z.enum(["mean", "cls"]),
    maxTokens: count,
    learning: z.strictObject({ firstLayer: z.int().min(0), weights: z.array(z.string()) }),
    tail: z.strictObject({ epsilon: z.number().positive() }).optional(),
    packed: z
      .strictObject({
        heads: count,
        intermediate: count,
        words: count,
        types: count,
        positions: count,
        epsilon: z.number().positive(),
      })
      .optional(),
    files,
  })
  .refine(({ pool, layers }) => pool.firstLayer < layers, "has a pool that begins at a layer that it does not have")
  .refine(({ learning, layers }) => learning.firstLayer < layers, "learns from a layer that it does not have")
  .refine(
    ({ learning, files }) =>
      learning.weights.every((path) => withRole(files, "weights").some((one) => one.path === path)),
    "learns with weights that it does not list",
  )
  .refine(
    ({ pool, files }) => (pool.kind === "trained") === withRole(files, "pool").length > 0,
    "must list pool files if and only if the pool is trained",
  )
  .refine(
    ({ tail, hidden, files }) =>
      withRole(files, "tail").length === (tail ? 1 : 0) &&
      withRole(files, "tail").every(({ bytes }) => bytes === TAIL_BYTES_A_NUMBER * hidden),
    "must list one tail file, of weight and bias, if and only if it has a tail",
  )
  .refine(
    ({ tail, format, layers, hidden, bottleneck, pool, learning }) =>
      !tail ||
      (format !== "xpeft-bundle/1" &&
        [pool.firstLayer, learning.firstLayer].every((first) => first === layers - 1) &&
        [hidden, bottleneck].every((size) => size % TAIL_VECTOR === 0)),
    "has a tail, which needs format 2 or later, masks and learning in the last layer alone, and sizes that are multiples of 4",
  )
  .refine(
    ({ packed, format, files }) =>
      (format === "xpeft-bundle/3") === (packed !== undefined) &&
      (packed !== undefined) === withRole(files, "packed").length > 0,
    "must list a packed encoder and its files if and only if it has format 3",
  )
  .refine(
    ({ packed, tail, hidden, maxTokens }) =>
      !packed ||
      (tail !== undefined &&
        maxTokens <= packed.positions &&
        [hidden, hidden / packed.heads, packed.intermediate].every((size) => size % PACKED_GROUP === 0)),
    "has a packed encoder, which needs a tail, a position for each token, and sizes that are multiples of 8",
  );

/** `manifest.json`, which describes a bundle. docs/formats.md explains the fields. */
export type Manifest = z.infer<typeof manifestSchema>;

/** A bundle, as far as rows must fit it. */
export interface Bundle {
  readonly id: string;
  /** Ids of the bundles whose tasks it serves: its own, then those that it has without its packed encoder and tail. */
  readonly taskBundles: readonly string[];
  readonly manifest: Manifest;
}

/** Returns a bundle's id: the first 32 hex digits of its manifest's SHA-256. */
const idOf = async (manifest: Uint8Array): Promise<string> => (await sha256Hex(manifest)).slice(0, 32);

/**
 * Returns a manifest and the bundle's ids.
 *
 * @param bytes the content of `manifest.json`
 * @throws XpeftError `invalid_manifest`
 */
export async function parseManifest(bytes: Uint8Array): Promise<Bundle> {
  const { text, json } = readJson(bytes);
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`);
    throw invalid(`The manifest does not follow the format ${FORMATS.at(-1)}: ${faults.join("; ")}.`);
  }
  const manifest = parsed.data;
  const id = await idOf(bytes);
  const earlier = earlierManifests(text, manifest).map((one) => idOf(new TextEncoder().encode(one)));
  return { manifest, id, taskBundles: [id, ...(await Promise.all(earlier))] };
}

function readJson(bytes: Uint8Array): { text: string; json: unknown } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { text, json: JSON.parse(text) };
  } catch (cause) {
    throw invalid("The manifest is not JSON in UTF-8.", cause);
  }
}

function invalid(message: string, cause?: unknown): XpeftError {
  return new XpeftError("invalid_manifest", message, { cause });
}
