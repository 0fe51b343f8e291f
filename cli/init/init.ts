import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CommandError } from "../../node/errors.ts";
import { readBundle } from "../../node/files.ts";
import { packagePath, readAbout } from "../../node/package.ts";
import { exampleText } from "../command-line.ts";

interface InitOptions {
  readonly name?: string;
  readonly bundle?: string;
}

/** The files of a project, with `{{…}}` for what differs. Their suffix hides dot files and package.json from npm. */
const TEMPLATES = packagePath("templates/worker");
const SUFFIX = ".template";

/** The package's own bundle, from a project's folder. */
const BUNDLE_OF_PACKAGE = "node_modules/xpeft-edge/bundles/minilm-l6-v2";

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const HELP = `
It writes wrangler.toml, package.json, build-assets.mjs, .gitignore, .dev.vars.example and README.md, and overwrites no
file. README.md says how to serve the project and how to deploy it.
${exampleText("init my-service", "init my-service --name tickets --bundle training/runs/bundle")}`;

function parseName(text: string): string {
  if (NAME.test(text)) return text;
  throw new InvalidArgumentError('Use 1 to 63 of the letters a to z, digits and "-", with no "-" at an end.');
}

/** Returns a name for the Worker that Cloudflare accepts, from the name of the folder. */
function nameOf(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  if (NAME.test(name)) return name;
  throw new CommandError(`A Worker cannot have the name "${name}" of the folder.`, "Give another name: --name");
}

/** Returns the path of the bundle from a project's folder. @throws XpeftError if it is not a bundle's folder */
async function bundleFrom(folder: string, bundle: string | undefined): Promise<string> {
  if (bundle === undefined) return BUNDLE_OF_PACKAGE;
  await readBundle(bundle);
  return relative(folder, bundle).replaceAll(sep, "/");
}

async function init(folder: string, options: InitOptions): Promise<void> {
  const { version, peerDependencies } = readAbout();
  const values: Readonly<Record<string, string>> = {
    name: options.name ?? nameOf(folder),
    version,
    wrangler: peerDependencies.wrangler,
    bundle: JSON.stringify(await bundleFrom(folder, options.bundle)),
  };
  const templates = (await readdir(TEMPLATES)).map((template) => ({
    template: join(TEMPLATES, template),
    path: join(folder, template.slice(0, -SUFFIX.length)),
  }));
  const existing = templates.filter(({ path }) => existsSync(path)).map(({ path }) => path);
  if (existing.length > 0)
    throw new CommandError(
      `${existing.join(", ")}: there already, and not overwritten.`,
      "Name a new folder: xpeft init FOLDER",
    );
  await mkdir(folder, { recursive: true });
  for (const { template, path } of templates) {
    const text = (await readFile(template, "utf8")).replaceAll(/\{\{(\w+)\}\}/g, (all, name) => values[name] ?? all);
    await writeFile(path, text, { flag: "wx" });
    console.log(path);
  }
  console.error(`\nNext: ${join(folder, "README.md")} says how to install, serve and deploy it.`);
}

/** `xpeft init`: writes a project that deploys the package's Worker. */
export function registerInit(program: Command): void {
  program
    .command("init")
    .description(
      "write a project that deploys the package's Worker to Cloudflare, with a bundle of your own if you like",
    )
    .argument("[folder]", "folder of the project", ".")
    .addOption(
      new Option("--name <name>", "name of the Worker and of its database (default: the folder's name)").argParser(
        parseName,
      ),
    )
    .option("--bundle <folder>", "folder of the bundle that the Worker serves (default: the package's own)")
    .addHelpText("after", HELP)
    .action(init);
}
