import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes the folder in which test files share built Workers. @returns a function that removes it */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "xpeft-prebuilt-"));
  process.env.XPEFT_PREBUILT = folder;
  return () => rm(folder, { recursive: true, force: true });
}
