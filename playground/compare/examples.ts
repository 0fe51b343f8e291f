interface Example {
  readonly profiles: readonly string[];
  readonly texts: readonly string[];
}

/** Something to try for the demo's tasks. Any other task starts with empty fields. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  news: {
    profiles: ["news-000", "news-001", "news-002", "news-003"],
    texts: [
      "How a small town found its voice on the big stage",
      "Senate passes bill after long night",
      "Ten ways to cook rice",
    ],
  },
  offense: {
    profiles: ["offense-000", "offense-002", "offense-004", "offense-006"],
    texts: [
      "You clearly have no idea what you are talking about.",
      "Nobody asked you",
      "Thank you, that was kind of you!",
    ],
  },
};
