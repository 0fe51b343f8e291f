interface Example {
  readonly profiles: readonly string[];
  readonly texts: readonly string[];
}

/** Something to try for the demo's tasks. Any other task starts with empty fields. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  inbox: {
    profiles: ["person-000", "person-001", "person-007", "person-015"],
    texts: ["Your electricity bill is attached", "Somebody tried to sign in as you", "The cup match is sold out"],
  },
  news: {
    profiles: ["news-000", "news-001", "news-002", "news-003"],
    texts: [
      "How a small town found its voice on the big stage",
      "Senate passes bill after long night",
      "Ten ways to cook rice",
    ],
  },
  offense: {
    profiles: ["offense-000", "offense-005", "offense-021", "offense-024"],
    texts: ["Only a fool would say that.", "Nobody asked you", "Thank you, that was kind of you!"],
  },
};
