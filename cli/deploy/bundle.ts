import type { Command } from "commander";
import { loadEngine } from "../../node/engine.ts";
import { DEFAULT_BUNDLE, readBundle, readFolder } from "../../node/files.ts";
import { readVerified } from "../../src/bundle/files.ts";
import { maskBytes } from "../../src/profiles/masks.ts";
import { addJsonOption, columns, type OutputOptions, printAnswer } from "../output.ts";

const SHORT_HASH = 12;

async function info(folder: string, options: OutputOptions): Promise<void> {
  const { id, manifest } = await readBundle(folder);
  const { layers, hidden, bottleneck, pool, plm, name, maxTokens, learning, files } = manifest;
  const bytesOfMasks = maskBytes({ layers, ...pool });
  printAnswer(options, { id, maskBytes: bytesOfMasks, ...manifest }, () => {
    const about = [
      ["id", id],
      ["name", name],
      ["language model", `${plm.name} (${plm.licence})`],
      ["layers, hidden, bottleneck", `${layers}, ${hidden}, ${bottleneck}`],
      ["adapter pool", `${pool.kind}, ${pool.size} adapters, ${pool.chosen} chosen by each mask`],
      ["masks of a profile", `${bytesOfMasks} bytes`],
      ["longest text", `${maxTokens} tokens`],
      ["learns where it is served", `layers ${learning.firstLayer} to ${layers - 1}`],
    ];
    const listed = files.map(({ path, role, bytes, sha256 }) => [path, role, bytes, sha256.slice(0, SHORT_HASH)]);
    return `${columns(["bundle", folder], about)}\n\n${columns(["file", "role", "bytes", "sha256"], listed)}`;
  });
}

/**
 * Checks every file of a bundle against its manifest, then reads a text with it.
 *
 * @throws XpeftError that names what is wrong
 */
export async function verifyBundle(folder: string): Promise<{ id: string; files: number; bytes: number }> {
  const { id, manifest } = await readBundle(folder);
  for (const file of manifest.files) await readVerified(readFolder(folder), file);
  await (await loadEngine(folder)).probe();
  return { id, files: manifest.files.length, bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function verify(folder: string, options: OutputOptions): Promise<void> {
  const found = await verifyBundle(folder);
  const { id, files, bytes } = found;
  printAnswer(
    options,
    found,
    () => `${folder}: ${files} files of ${bytes} bytes are as bundle ${id} has them, and a text was read.`,
  );
}

/** `xpeft bundle`: what a bundle is, and whether it is whole. */
export function registerBundle(program: Command): void {
  const bundle = program.command("bundle").description("look at a bundle's folder");
  const about = (name: string, description: string) =>
    addJsonOption(
      bundle.command(name).description(description).argument("[folder]", "the bundle's folder", DEFAULT_BUNDLE),
    );
  about("info", "tell its language model, its adapter pool and its files").action(info);
  about("verify", "check every file's size and hash, and read a text with it; says what is wrong").action(verify);
}
