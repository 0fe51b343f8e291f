import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type BoundExample, linesOf, NO_ANSWER, startAlone, startExample } from "./example.ts";

const TITLES = [
  "Senate passes bill after long night",
  "Ten ways to cook rice",
  "Striker scores twice in cup final",
  "New study links sleep and memory",
];
const ITEMS = TITLES.map((title, number) => ({ id: String(number), title }));

interface Feed {
  readonly personal: boolean;
  readonly sections: { readonly label: string; readonly items: { readonly id: string; readonly score: number }[] }[];
}

let feed: BoundExample;

beforeAll(async () => {
  feed = await startExample("feed", "news");
});
afterAll(() => feed.close());

const read = async (reader: string) => (await feed.post(`/readers/${reader}/feed`, { items: ITEMS })).body as Feed;

/** Returns each section's label with the ids of its items. */
const idsOf = ({ sections }: Feed) => sections.map(({ label, items }) => [label, items.map(({ id }) => id)]);

describe("the feed", () => {
  it("has fewer than 100 lines", async () => {
    expect(await linesOf("feed")).toBeLessThan(100);
  });

  it("groups the same items as each reader would, the largest section and the highest score first", async () => {
    expect(idsOf(await read("news-000"))).toEqual([
      ["U.S. NEWS", ["3", "1"]],
      ["POLITICS", ["0"]],
      ["SPORTS", ["2"]],
    ]);
    expect(idsOf(await read("news-001"))).toEqual([
      ["WEIRD NEWS", ["3", "1", "2"]],
      ["POLITICS", ["0"]],
    ]);
  });

  it("answers with the items as they were sent, and their scores", async () => {
    const { personal, sections } = await read("news-000");
    expect(personal).toBe(true);
    expect(sections[1]).toEqual({ label: "POLITICS", items: [{ ...ITEMS[0], score: expect.closeTo(0.9, 1) }] });
  });

  it("sends one request for all items", async () => {
    feed.clearRequests();
    await read("news-000");
    await expect.poll(feed.requests).toMatchObject([{ route: "/v1/predict", status: 200, texts: ITEMS.length }]);
  });

  it("labels a new reader's items by the task's default profile, and says so", async () => {
    const answer = await read("newcomer");
    expect(answer).toMatchObject({ reader: "newcomer", personal: false });
    expect(idsOf(answer)[0]).toEqual(["POLITICS", ["0", "1"]]);
  });

  it.each([
    ["no items", { items: [] }, 422, "invalid_request", "at items"],
    ["an item without a title", { items: [{ id: "1" }] }, 422, "invalid_request", "items[0].title"],
    ["more items than a request takes", { items: Array(65).fill(ITEMS[0]) }, 422, "invalid_request", "at items"],
    ["a body that is not JSON", '{"items"', 400, "invalid_json", "JSON"],
  ])("rejects %s", async (_, body, status, code, detail) => {
    expect(await feed.post("/readers/news-000/feed", body)).toMatchObject({
      status,
      type: "application/problem+json",
      body: { status, code, detail: expect.stringContaining(detail), hint: expect.stringContaining('"items"') },
    });
  });

  it.each([
    ["an impossible reader", "/readers/a%20b/feed", ITEMS, "invalid_request", "Use such an id."],
    ["a text with nothing in it", "/readers/news-000/feed", [{ id: "1", title: " " }], "empty_text", "Send a text"],
  ])("passes the service's error on for %s", async (_, path, items, code, hint) => {
    expect(await feed.post(path, { items })).toMatchObject({
      status: 422,
      type: "application/problem+json",
      body: { type: `urn:xpeft:problem:${code}`, code, hint: expect.stringContaining(hint) },
    });
  });
});

it("says that the service is away", async () => {
  const alone = await startAlone("feed");
  onTestFinished(() => alone.close());
  expect(await alone.post("/readers/news-000/feed", { items: ITEMS })).toMatchObject(NO_ANSWER);
});
