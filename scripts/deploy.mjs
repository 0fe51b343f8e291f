// `npm run deploy`: installs the dependencies and deploys the Worker to Cloudflare. The steps are in cli/deploy/.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { installDependencies, node, root } from "./install.mjs";

await installDependencies();
const command = [join(root, "cli", "xpeft.ts"), "deploy", ...process.argv.slice(2)];
const { status } = spawnSync(node, command, { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
