// An inbox that sorts messages as each person would, and learns from their corrections.
import { Hono } from "hono";
import { createClient, learning, unwrap } from "xpeft-edge/client";
import * as z from "zod";
import { answerProblem } from "../problems.ts";

interface Env {
  /** The xpeft-edge Worker. */
  readonly XPEFT: Fetcher;
  /** A key with the scopes `predict` and `learn`. */
  readonly XPEFT_KEY: string;
}

const TASK = "inbox";
const Folder = z.enum(["now", "later", "archive"]);

/** The service labels up to 64 texts in one request. */
const MAX_MESSAGES = 64;

const Message = z.strictObject({ id: z.string(), text: z.string() });
const Messages = z.strictObject({ messages: z.array(Message).min(1).max(MAX_MESSAGES) });

/** The service learns from 2 to 200 texts. */
const Correction = z.strictObject({ text: z.string(), folder: Folder });
const Corrections = z.strictObject({ corrections: z.array(Correction).min(2).max(200) });

/** Names a write. A request with it reads data that is at least as new. */
const BOOKMARK = "x-d1-bookmark";

const app = new Hono<{ Bindings: Env }>();

const clientOf = ({ XPEFT, XPEFT_KEY: key }: Env) =>
  createClient("http://xpeft-edge", { key, fetch: XPEFT.fetch.bind(XPEFT) });

/** Sorts messages into folders. Before their first correction, people get the task's default profile. */
app.post("/people/:person/sort", async (c) => {
  const { messages } = Messages.parse(await c.req.json());
  const json = {
    task: TASK,
    profile: c.req.param("person"),
    inputs: messages.map(({ text }) => text),
    onUnknownProfile: "default" as const,
  };
  const bookmark = c.req.header(BOOKMARK);
  const headers: Record<string, string> = bookmark === undefined ? {} : { [BOOKMARK]: bookmark };
  const { predictions } = await unwrap(clientOf(c.env).v1.predict.$post({ json }, { headers }));
  const sorted = predictions.map(({ label, score }, place) => ({ folder: label, ...messages[place], score }));
  return c.json({ now: [], later: [], archive: [], ...Object.groupBy(sorted, ({ folder }) => folder) });
});

/**
 * Learns the person's profile from all their corrections so far. It stays as it is if they gain nothing: `notWritten`
 * then says so. To sort by the new profile at once, send the bookmark of the answer.
 */
app.post("/people/:person/corrections", async (c) => {
  const { corrections } = Corrections.parse(await c.req.json());
  const { learn } = clientOf(c.env).v1.profiles[":task"][":profile"];
  const param = { task: TASK, profile: c.req.param("person") };
  const examples = corrections.map(({ text, folder }) => ({ text, label: folder }));
  const { generation, notWritten, leftOut, bookmark } = await learning(learn.$post({ param, json: { examples } }));
  if (bookmark) c.header(BOOKMARK, bookmark);
  return c.json({ generation, notWritten, leftOut });
});

app.onError(
  answerProblem('Send {"messages": [{"id", "text"}]} to sort, {"corrections": [{"text", "folder"}]} to learn.'),
);

export default app;
