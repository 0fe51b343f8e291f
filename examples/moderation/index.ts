// Moderation: each community decides about the same comment, by a profile and a policy of its own.
import { Hono } from "hono";
import { createClient, type FanOutLine, fanOut } from "xpeft-edge/client";
import * as z from "zod";
import { answerProblem } from "../problems.ts";

interface Env {
  /** The xpeft-edge Worker. */
  readonly XPEFT: Fetcher;
  /** A key with the scope `predict`. */
  readonly XPEFT_KEY: string;
  /** The policy of each community, from wrangler.toml. */
  readonly POLICIES: Readonly<Record<string, Policy>>;
}

interface Policy {
  /** The profile that labels comments for this community, from 1 (harmless) to 5 (offensive). */
  readonly profile: string;
  /** Comments with this label or a higher one are hidden. */
  readonly hideFrom: number;
  /** Below this score, a moderator decides. */
  readonly reviewBelow: number;
}

const Comment = z.strictObject({ text: z.string() });

const app = new Hono<{ Bindings: Env }>();

/** Answers with each community's decision about a comment, and the reason. The service reads the comment once. */
app.post("/comments", async (c) => {
  const { text } = Comment.parse(await c.req.json());
  const client = createClient("http://xpeft-edge", {
    key: c.env.XPEFT_KEY,
    fetch: c.env.XPEFT.fetch.bind(c.env.XPEFT),
  });
  const policies = Object.entries(c.env.POLICIES);
  // Communities may share a profile, and a fan-out takes each once.
  const profiles = [...new Set(policies.map(([, { profile }]) => profile))];
  const lines = new Map<string, FanOutLine>();
  for await (const line of fanOut(client, { task: "offense", text, profiles })) lines.set(line.profile, line);
  return c.json({ decisions: policies.map(([community, policy]) => decide(community, policy, lines)) });
});

/** Returns what a community does with a comment. If its profile fails, a moderator decides and sees the error. */
function decide(community: string, { profile, hideFrom, reviewBelow }: Policy, lines: Map<string, FanOutLine>) {
  const line = lines.get(profile);
  if (line === undefined) throw new Error(`The service has not answered for the profile "${profile}".`);
  if ("error" in line) {
    const { code, detail, hint } = line.error;
    return { community, action: "review", error: { code, detail, hint } };
  }
  const { label, score } = line;
  const action = score < reviewBelow ? "review" : Number(label) >= hideFrom ? "hide" : "publish";
  return { community, action, label, score };
}

app.onError(answerProblem('Send {"text": "A comment"}.'));

export default app;
