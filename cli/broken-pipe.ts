import { CLEAR } from "./live-line.ts";

// The reader of a pipe may end first, as `head` does. The command then ends as others do, with the status of SIGPIPE.
const SIGPIPE_STATUS = 141;

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (process.stderr.isTTY) process.stderr.write(CLEAR);
    process.exit(SIGPIPE_STATUS);
  });
}
