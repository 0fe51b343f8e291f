// Runs commands of the command line one after another in this process, which loads them only once.
// Its parent sends the arguments and the environment of each, and gets its output and exit status.

/** A command as its parent sends it. */
interface Call {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const [node = "", program = ""] = process.argv;
let calls = 0;

/** Collects what is written to a stream until it is given back. */
function capture(stream: NodeJS.WriteStream) {
  const { write } = stream;
  let text = "";
  const take = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const done = rest.find((one) => typeof one === "function");
    if (typeof done === "function") process.nextTick(done);
    return true;
  };
  stream.write = take;
  return () => {
    stream.write = write;
    return text;
  };
}

async function answer({ args, env }: Call): Promise<void> {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [node, program, ...args];
  process.exitCode = 0;
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  calls++;
  try {
    // The query has the program's module run again, and what it imports stay loaded.
    await import(`../../cli/xpeft.ts?call=${calls}`);
  } finally {
    const written = { stdout: stdout(), stderr: stderr() };
    // A handler of Ctrl-C is for the command that set it.
    process.removeAllListeners("SIGINT");
    process.send?.({ code: process.exitCode, ...written });
    process.exitCode = 0;
  }
}

let last: Promise<void> = Promise.resolve();
process.on("message", (call: Call) => {
  last = last.then(() => answer(call));
});
process.once("disconnect", () => process.exit());
