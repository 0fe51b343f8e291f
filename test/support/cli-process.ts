// Runs CLI commands one after another in this process, which loads the code only once.
// The parent process sends each command's arguments and environment, and receives its output and exit status.

/** A command from the parent process. */
interface Command {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const [node = "", program = ""] = process.argv;
let commandCount = 0;

/** Captures a stream's output. The returned function restores the stream and returns the text. */
function capture(stream: NodeJS.WriteStream) {
  const { write } = stream;
  let text = "";
  const collect = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const done = rest.find((argument) => typeof argument === "function");
    if (typeof done === "function") process.nextTick(done);
    return true;
  };
  stream.write = collect;
  return () => {
    stream.write = write;
    return text;
  };
}

async function runCommand({ args, env }: Command): Promise<void> {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [node, program, ...args];
  process.exitCode = 0;
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  commandCount++;
  try {
    // The query string makes the program's module run again, while its imports stay loaded.
    await import(`../../cli/xpeft.ts?command=${commandCount}`);
  } finally {
    const output = { stdout: stdout(), stderr: stderr() };
    // A Ctrl-C handler belongs to the command that set it.
    process.removeAllListeners("SIGINT");
    process.send?.({ code: process.exitCode, ...output });
    process.exitCode = 0;
  }
}

let last: Promise<void> = Promise.resolve();
process.on("message", (command: Command) => {
  last = last.then(() => runCommand(command));
});
process.once("disconnect", () => process.exit());
