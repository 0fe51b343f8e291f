import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { node } from "../../scripts/install.mjs";

/** Of this machine's /etc: names, certificates and the loader's settings. */
const OF_ETC = ["ca-certificates", "group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd", "resolv.conf", "ssl"];

/** The user that the Node image has, and the folder that npm keeps its files in. */
const USER = { name: "node", id: 1000, home: "/home/node" };
const CACHE = "/root/.npm";

/** Variables by which this machine reaches the registry. */
const NETWORK = /^(HTTPS?_PROXY|NO_PROXY|NODE_EXTRA_CA_CERTS|npm_config_registry)$/i;

/** How a command runs in a root. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly user?: string;
  /** As a container runs: nothing but these folders can be written. Without it, as a build runs, with npm's cache. */
  readonly writable?: readonly string[];
}

/** Returns the path of npm's folder. */
async function npmFolder(): Promise<string> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const npm = await realpath(join(folder, "npm")).catch(() => null);
    if (npm !== null) return dirname(dirname(npm));
  }
  throw new Error("There is no npm on the path.");
}

/**
 * Makes a root like that of the image `node:VERSION-slim`: this machine's Debian, with the project's Node and an npm in
 * /usr/local, and nothing else.
 */
export async function makeRoot(root: string): Promise<void> {
  for (const folder of ["dev", "etc", "proc", "usr", "root/.npm", "tmp", "home/node"])
    await mkdir(join(root, folder), { recursive: true });
  for (const folder of ["bin", "sbin", "lib", "lib64"]) await symlink(`usr/${folder}`, join(root, folder));
  for (const name of OF_ETC.filter((one) => existsSync(join("/etc", one))))
    await cp(join("/etc", name), join(root, "etc", name), { recursive: true, verbatimSymlinks: true });
  const passwd = await readFile("/etc/passwd", "utf8");
  const others = passwd.split("\n").filter((line) => !line.startsWith("node:") && line.split(":")[2] !== "1000");
  const line = `${USER.name}:x:${USER.id}:${USER.id}::${USER.home}:/bin/sh`;
  await writeFile(join(root, "etc/passwd"), `${others.join("\n").trimEnd()}\n${line}\n`);
  await writeFile(join(root, "etc/group"), `root:x:0:\n${USER.name}:x:${USER.id}:\n`);
  await chmod(join(root, "tmp"), 0o1777);
  await mkdir(join(root, "local/bin"), { recursive: true });
  await cp(await realpath(node), join(root, "local/bin/node"));
  await cp(await npmFolder(), join(root, "local/lib/node_modules/npm"), { recursive: true });
  for (const name of ["npm", "npx"])
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "local/bin", name));
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const NPM_CACHE = join(homedir(), ".npm");

/** Without a capability, and without a way to get one. */
const AS_USER = `setpriv --reuid=${USER.id} --regid=${USER.id} --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs`;

/** Returns a script that enters the root in a mount namespace of its own, and becomes the command. */
function enter(root: string, command: readonly string[], { env = {}, cwd = "/", user, writable }: RunOptions): string {
  const at = (path: string) => quote(join(root, path));
  const network = Object.entries(process.env).filter(([name]) => !writable && NETWORK.test(name));
  const variables = {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: user === undefined ? "/root" : USER.home,
    ...Object.fromEntries(network),
    ...env,
  };
  const words = [...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...command];
  const ofBuild = [`mkdir -p ${quote(NPM_CACHE)}`, `mount --bind ${quote(NPM_CACHE)} ${at(CACHE)}`];
  return [
    "set -e",
    `mount --bind ${at("")} ${at("")}`,
    `mount --bind /usr ${at("usr")}`,
    `mount -o remount,bind,ro ${at("usr")}`,
    `mount --bind ${at("local")} ${at("usr/local")}`,
    `mount --rbind /dev ${at("dev")}`,
    `mount --rbind /proc ${at("proc")}`,
    ...(writable?.map((folder) => `mount --bind ${at(folder)} ${at(folder)}`) ?? ofBuild),
    ...(writable ? ["usr/local", ""].map((folder) => `mount -o remount,bind,ro ${at(folder)}`) : []),
    `exec chroot ${at("")} ${user === undefined ? "" : AS_USER} env -i --chdir=${quote(cwd)} ${words.map(quote).join(" ")}`,
  ].join("\n");
}

/** Starts a command in a root. The process is the command's own, so signals arrive there. */
export function startIn(root: string, command: readonly string[], options: RunOptions = {}) {
  const args = ["--mount", "--propagation", "private", "bash", "-c", enter(root, command, options)];
  const child = spawn("unshare", args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output.text += chunk;
    });
  }
  return { child, output };
}

/** Runs a command in a root to its end. @returns its exit code and output */
export async function runIn(root: string, command: readonly string[], options: RunOptions = {}) {
  const { child, output } = startIn(root, command, options);
  const [code] = await once(child, "close");
  return { code, output: output.text };
}
