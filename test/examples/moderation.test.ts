import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type BoundExample, linesOf, NO_ANSWER, startAlone, startExample } from "./example.ts";

const INSULT = "You are an idiot and everybody hates you";
const RUDE = "What a load of crap";

let moderation: BoundExample;

beforeAll(async () => {
  moderation = await startExample("moderation", "offense");
});
afterAll(() => moderation.close());

interface Decisions {
  readonly decisions: { readonly community: string; readonly action: string; readonly label?: string }[];
}

const decide = async (text: string) =>
  ((await moderation.post("/comments", { text })).body as Decisions).decisions.map(
    ({ community, action, label }) => `${community}: ${action} ${label}`,
  );

describe("the moderation", () => {
  it("has fewer than 100 lines", async () => {
    expect(await linesOf("moderation")).toBeLessThan(100);
  });

  it("publishes or hides a comment by each community's profile and policy", async () => {
    expect(await decide("Thank you, that was kind of you!")).toEqual([
      "kids: publish 1",
      "sports: publish 1",
      "debate: publish 1",
    ]);
    // The label 4 is hidden where 3 is too, and published where only 5 is hidden.
    expect(await decide(INSULT)).toEqual(["kids: hide 5", "sports: publish 4", "debate: publish 1"]);
  });

  it("leaves unsure labels to a moderator, and says why", async () => {
    expect((await moderation.post("/comments", { text: RUDE })).body).toEqual({
      decisions: [
        { community: "kids", action: "review", label: "5", score: expect.closeTo(0.43, 1) },
        { community: "sports", action: "review", label: "4", score: expect.closeTo(0.33, 1) },
        { community: "debate", action: "publish", label: "1", score: expect.closeTo(0.76, 1) },
      ],
    });
  });

  it.each([
    ["a comment without a text", {}, 422, "invalid_request", "at text"],
    ["an unknown field", { text: RUDE, community: "kids" }, 422, "invalid_request", "community"],
    ["a body that is not JSON", "text=hello", 400, "invalid_json", "JSON"],
  ])("rejects %s", async (_, body, status, code, detail) => {
    expect(await moderation.post("/comments", body)).toMatchObject({
      status,
      type: "application/problem+json",
      body: { status, code, detail: expect.stringContaining(detail), hint: 'Send {"text": "A comment"}.' },
    });
  });

  it("passes the service's error on", async () => {
    expect(await moderation.post("/comments", { text: "" })).toMatchObject({
      status: 422,
      type: "application/problem+json",
      body: { type: "urn:xpeft:problem:empty_text", code: "empty_text", hint: "Send a text with words in it." },
    });
  });
});

describe("the moderation of other communities", () => {
  const policy = { profile: "offense-052", hideFrom: 4, reviewBelow: 0.5 };
  const POLICIES = {
    strict: policy,
    lenient: { ...policy, hideFrom: 5 },
    careful: { ...policy, reviewBelow: 0.9 },
    broken: { ...policy, profile: "nobody" },
  };
  let others: BoundExample;

  beforeAll(async () => {
    others = await startExample("moderation", "offense", { vars: { POLICIES } });
  });
  afterAll(() => others.close());

  it("sends one request for all of them, and each profile once", async () => {
    others.clearRequests();
    await others.post("/comments", { text: INSULT });
    await expect.poll(others.requests).toMatchObject([{ route: "/v1/fanout", status: 200 }]);
  });

  it("leaves a comment to a moderator if a community's profile is unknown, and shows the error", async () => {
    const score = expect.closeTo(0.67, 1);
    expect((await others.post("/comments", { text: INSULT })).body).toEqual({
      decisions: [
        { community: "strict", action: "hide", label: "4", score },
        { community: "lenient", action: "publish", label: "4", score },
        { community: "careful", action: "review", label: "4", score },
        {
          community: "broken",
          action: "review",
          error: {
            code: "unknown_profile",
            detail: 'Task "offense" has no profile "nobody".',
            hint: expect.stringMatching(/\S/),
          },
        },
      ],
    });
  });
});

it("says that the service is away", async () => {
  const alone = await startAlone("moderation");
  onTestFinished(() => alone.close());
  expect(await alone.post("/comments", { text: RUDE })).toMatchObject(NO_ANSWER);
});
