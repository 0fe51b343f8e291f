import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { linesOf, NO_ANSWER, type RunningExample, startAlone, startExample } from "./example.ts";

const BILL = "Your electricity bill is attached";
const DATABASE = "The database is slow since noon";
const DINNER = "Dinner with your parents on Saturday";

/** What a person corrects: bills go to the archive, what is broken is urgent, and the family can wait. */
const CORRECTIONS = Object.entries({
  archive: [
    "The invoice of the electrician",
    "A reminder for the unpaid rent",
    "Your card was charged twice",
    "The receipt for the train tickets",
  ],
  now: [
    "The printer server is down",
    "Errors on the order page",
    "The nightly build is broken again",
    "The login page does not load",
  ],
  later: [
    "Can you fetch the children today?",
    "Your brother's new flat",
    "Photos of the christening",
    "Lunch at your aunt's house",
  ],
}).flatMap(([folder, texts]) => texts.map((text) => ({ text, folder })));

let inbox: RunningExample;

beforeAll(async () => {
  inbox = await startExample("inbox", "inbox", { scopes: ["predict", "learn"] });
});
afterAll(() => inbox.close());

const MESSAGES = [BILL, DATABASE, DINNER].map((text, number) => ({ id: String(number), text }));

type Folders = Record<string, { readonly text: string }[]>;

/** Returns the texts of each folder. */
async function sort(person: string, headers: Record<string, string> = {}) {
  const { body } = await inbox.post(`/people/${person}/sort`, { messages: MESSAGES }, headers);
  return Object.entries(body as Folders).map(([folder, messages]) => [folder, messages.map(({ text }) => text)]);
}

describe("the inbox", () => {
  it("has fewer than 100 lines", async () => {
    expect(await linesOf("inbox")).toBeLessThan(100);
  });

  it("sorts the same messages as each person would", async () => {
    expect(await sort("person-000")).toEqual([
      ["now", [DATABASE]],
      ["later", []],
      ["archive", [BILL, DINNER]],
    ]);
    expect(await sort("person-001")).toEqual([
      ["now", [BILL]],
      ["later", []],
      ["archive", [DATABASE, DINNER]],
    ]);
  });

  it("answers with the messages as they were sent, and their scores", async () => {
    const { body } = await inbox.post("/people/person-000/sort", { messages: MESSAGES });
    expect(body).toMatchObject({ now: [{ ...MESSAGES[1], folder: "now", score: expect.closeTo(0.85, 1) }] });
  });

  it("learns a new person from corrections", async () => {
    expect(await sort("newcomer")).toEqual([
      ["now", [BILL]],
      ["later", []],
      ["archive", [DATABASE, DINNER]],
    ]);
    const { status, body, bookmark } = await inbox.post("/people/newcomer/corrections", { corrections: CORRECTIONS });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { generation: 1, notWritten: null, leftOut: { texts: 12, gained: true } },
    });
    expect(await sort("newcomer", { "x-d1-bookmark": bookmark ?? "" })).toEqual([
      ["now", [DATABASE]],
      ["later", [DINNER]],
      ["archive", [BILL]],
    ]);
  });

  it("learns a person anew, and sorts by it at once if the request has the bookmark", async () => {
    const old = await sort("person-001");
    const { body, bookmark } = await inbox.post("/people/person-001/corrections", { corrections: CORRECTIONS });
    expect(body).toMatchObject({ generation: 2, notWritten: null });
    // The service has the row in its cache.
    expect(await sort("person-001")).toEqual(old);
    expect(await sort("person-001", { "x-d1-bookmark": bookmark ?? "" })).toEqual([
      ["now", [DATABASE]],
      ["later", [DINNER]],
      ["archive", [BILL]],
    ]);
  });

  it("leaves a person's profile as it is if nothing is gained, and says so", async () => {
    const old = await sort("person-002");
    const corrections = [
      { text: BILL, folder: "archive" },
      { text: DATABASE, folder: "later" },
    ];
    const { body } = await inbox.post("/people/person-002/corrections", { corrections });
    expect(body).toMatchObject({ generation: null, notWritten: "no-gain" });
    expect(await sort("person-002")).toEqual(old);
  });

  it.each([
    ["sort", { messages: [{ id: "1" }] }, 422, "invalid_request", "messages[0].text"],
    ["corrections", { corrections: CORRECTIONS.slice(0, 1) }, 422, "invalid_request", "at corrections"],
    ["corrections", { corrections: [{ text: BILL, folder: "bin" }] }, 422, "invalid_request", "corrections[0].folder"],
    ["corrections", "[", 400, "invalid_json", "JSON"],
  ])("rejects what %s cannot read: %j", async (route, body, status, code, detail) => {
    expect(await inbox.post(`/people/person-000/${route}`, body)).toMatchObject({
      status,
      type: "application/problem+json",
      body: { status, code, detail: expect.stringContaining(detail), hint: expect.stringContaining('"corrections"') },
    });
  });

  it.each([
    ["sort", { messages: [{ id: "1", text: "" }] }, "empty_text"],
    ["corrections", { corrections: CORRECTIONS.slice(0, 2) }, "one_label"],
  ])("passes the service's error on from %s", async (route, body, code) => {
    expect(await inbox.post(`/people/person-000/${route}`, body)).toMatchObject({
      status: 422,
      type: "application/problem+json",
      body: { type: `urn:xpeft:problem:${code}`, code, hint: expect.stringMatching(/\S/) },
    });
  });
});

it("says that the service is away", async () => {
  const alone = await startAlone("inbox");
  onTestFinished(() => alone.close());
  expect(await alone.post("/people/person-000/sort", { messages: MESSAGES })).toMatchObject(NO_ANSWER);
  expect(await alone.post("/people/person-000/corrections", { corrections: CORRECTIONS })).toMatchObject(NO_ANSWER);
});
