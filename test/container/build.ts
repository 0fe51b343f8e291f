import { cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { contextFiles, type Instruction, type Stage } from "./dockerfile.ts";
import { makeRoot, runIn } from "./root.ts";

/** What a built image says about how it runs. */
export interface Image {
  readonly root: string;
  readonly env: Record<string, string>;
  readonly user: string | undefined;
  readonly cwd: string;
  readonly volumes: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

/** Copies what a COPY names: files of the context, all of it, or a folder of another stage. */
async function copy({ flags, rest }: Instruction, image: Image, roots: ReadonlyMap<string, string>): Promise<void> {
  const paths = rest.split(/\s+/);
  const to = join(image.root, image.cwd, paths.pop() ?? "");
  const from = flags.find((flag) => flag.startsWith("--from="))?.slice("--from=".length);
  if (from !== undefined) {
    await cp(join(roots.get(from) ?? "", paths[0] ?? ""), join(image.root, paths[0] ?? ""), {
      recursive: true,
      verbatimSymlinks: true,
    });
    return;
  }
  const files = (await contextFiles()).filter((file) => paths.includes(".") || paths.includes(file));
  for (const file of files) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await cp(file, join(to, file), { preserveTimestamps: true });
  }
}

const variablesOf = (rest: string): [string, string][] =>
  rest.split(/\s+/).map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);

/** Does what one instruction says. */
async function apply(instruction: Instruction, image: Image, roots: ReadonlyMap<string, string>): Promise<Image> {
  const { name, rest } = instruction;
  if (name === "WORKDIR") {
    await mkdir(join(image.root, rest), { recursive: true });
    return { ...image, cwd: rest };
  }
  if (name === "ENV") return { ...image, env: { ...image.env, ...Object.fromEntries(variablesOf(rest)) } };
  if (name === "USER") return { ...image, user: rest };
  if (name === "VOLUME") return { ...image, volumes: [...image.volumes, rest] };
  if (name === "HEALTHCHECK") return { ...image, healthcheck: JSON.parse(rest) };
  if (name === "ENTRYPOINT" || name === "CMD") return { ...image, command: [...image.command, ...JSON.parse(rest)] };
  if (name === "COPY") await copy(instruction, image, roots);
  else if (name === "RUN") {
    const { env, cwd, user } = image;
    const { code, output } = await runIn(image.root, ["/bin/sh", "-c", rest], { env, cwd, ...(user && { user }) });
    if (code !== 0) throw new Error(`${rest}\n${output}`);
  } else if (name !== "EXPOSE") throw new Error(`The test does not know the instruction ${name}.`);
  return image;
}

/** Builds the stages of a Dockerfile one after another, each in a root of its own. @returns the last one */
export async function buildImage(stages: readonly Stage[], folder: string): Promise<Image> {
  const roots = new Map<string, string>();
  let image: Image | undefined;
  for (const { name, instructions } of stages) {
    const root = join(folder, name);
    await makeRoot(root);
    roots.set(name, root);
    image = { root, env: {}, user: undefined, cwd: "/", volumes: [], command: [], healthcheck: [] };
    for (const instruction of instructions) image = await apply(instruction, image, roots);
  }
  if (!image) throw new Error("The Dockerfile has no stage.");
  return image;
}
