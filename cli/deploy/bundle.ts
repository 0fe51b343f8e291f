import type { Command } from "commander";
import { loadEngine } from "../../node/engine.ts";
import { DEFAULT_BUNDLE, readBundle, readFolder } from "../../node/files.ts";
import { readVerified } from "../../src/bundle/files.ts";
import { maskBytes, maskShapeOf } from "../../src/profiles/masks.ts";
import { exampleText } from "../command-line.ts";
import { addJsonOption, type OutputOptions } from "../options.ts";
import { formatColumns, printResult } from "../output.ts";

/** Characters of a hash that are shown. */
const SHORT_HASH = 12;

async function info(folder: string, options: OutputOptions): Promise<void> {
  const { id, manifest } = await readBundle(folder);
  const { layers, hidden, bottleneck, pool, plm, name, maxTokens, learning, files } = manifest;
  const bytesOfMasks = maskBytes(maskShapeOf(manifest));
  printResult(options, { id, maskBytes: bytesOfMasks, ...manifest }, () => {
    const properties = [
      ["id", id],
      ["name", name],
      ["language model", `${plm.name} (${plm.licence})`],
      ["layers, hidden, bottleneck", `${layers}, ${hidden}, ${bottleneck}`],
      ["adapter pool", `${pool.kind}, ${pool.size} adapters; each mask selects ${pool.chosen}`],
      ["layers with masks", `${pool.firstLayer} to ${layers - 1}`],
      ["masks of a profile", `${bytesOfMasks} bytes`],
      ["longest text", `${maxTokens} tokens`],
      ["layers that learn can train", `${Math.max(learning.firstLayer, pool.firstLayer)} to ${layers - 1}`],
    ];
    const rows = files.map(({ path, role, bytes, sha256 }) => [path, role, bytes, sha256.slice(0, SHORT_HASH)]);
    return `${formatColumns(["bundle", folder], properties)}\n\n${formatColumns(["file", "role", "bytes", "sha256"], rows)}`;
  });
}

/** A bundle whose files match its manifest. */
interface VerifiedBundle {
  readonly id: string;
  /** Number of files. */
  readonly files: number;
  /** Total size. */
  readonly bytes: number;
}

/**
 * Checks every file of a bundle against its manifest, then predicts a text with each engine.
 *
 * @throws XpeftError that names the fault
 */
export async function verifyBundle(folder: string): Promise<VerifiedBundle> {
  const { id, manifest } = await readBundle(folder);
  for (const file of manifest.files) await readVerified(readFolder(folder), file);
  const engine = await loadEngine(folder);
  await engine.probe();
  if (engine.name !== "onnxruntime") await (await loadEngine(folder, "onnxruntime")).probe();
  return { id, files: manifest.files.length, bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function verify(folder: string, options: OutputOptions): Promise<void> {
  const bundle = await verifyBundle(folder);
  printResult(options, bundle, () => {
    const { id, files, bytes } = bundle;
    return `${folder}: all ${files} files (${bytes} bytes) match the manifest of bundle ${id}. A test prediction succeeded.`;
  });
}

/** `xpeft bundle`: describes a bundle, and checks its files. */
export function registerBundle(program: Command): void {
  const bundle = program
    .command("bundle")
    .description("describe a bundle, or check its files")
    .addHelpText("after", exampleText("bundle info", "bundle verify bundles/minilm-l6-v2"));
  const addFolderCommand = (name: string, description: string) =>
    addJsonOption(
      bundle.command(name).description(description).argument("[folder]", "folder of the bundle", DEFAULT_BUNDLE),
    );
  addFolderCommand("info", "print the bundle's language model, adapter pool and files").action(info);
  addFolderCommand("verify", "check the size and hash of every file, then predict a text with each engine").action(
    verify,
  );
}
