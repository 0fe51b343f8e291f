/** Sentences to try for the demo's tasks. Other tasks have none. */
const SENTENCES: Readonly<Record<string, readonly string[]>> = {
  inbox: [
    "Your electricity bill is attached",
    "Somebody tried to sign in as you",
    "The cup match is sold out",
    "Your parcel arrives tomorrow between 9 and 12",
    "Lunch on Friday?",
    "The server is down again",
    "Photos of the weekend",
    "Second reminder: your invoice is overdue",
    "New books in your library this month",
    "The team meeting moves to 3 pm",
    "Your flight to Lisbon is delayed",
    "Thirty percent off all shoes until Sunday",
  ],
  news: [
    "How a small town found its voice on the big stage",
    "Senate passes bill after long night",
    "Ten ways to cook rice",
    "Goalkeeper saves two penalties in the final",
    "Night trains are back, and so are the crowds",
    "What your children hear when you argue",
    "A new telescope sees its first galaxy",
    "Three soups for the first cold evening",
    "The bank that lends to bakers",
    "Mayor and council quarrel over the bridge",
    "Why we still write letters",
    "A song for everyone who was left",
  ],
  offense: [
    "Only a fool would say that.",
    "Nobody asked you",
    "Thank you, that was kind of you!",
    "Damn, that was one hell of a match!",
    "Read it again, slowly this time.",
    "This is the worst soup in town.",
    "You clearly have no idea what you are talking about.",
    "What a stupid rule.",
    "I hope your house falls down on you.",
    "Well done, you broke it again.",
    "Nobody would miss you if you left.",
    "I could not agree less with you.",
  ],
};

/** Returns sentences to try for a task; none if it is not of the demo. */
export const sentencesOf = (task: string): readonly string[] => SENTENCES[task] ?? [];

const PROFILES: Readonly<Record<string, readonly string[]>> = {
  inbox: ["person-000", "person-001", "person-007", "person-015"],
  news: ["news-000", "news-001", "news-002", "news-003"],
  offense: ["offense-000", "offense-005", "offense-021", "offense-024"],
};

/** Returns profiles of a task of the demo, for keys that may not list them; none of other tasks. */
export const profilesOf = (task: string): readonly string[] => PROFILES[task] ?? [];

const ABOUT: Readonly<Record<string, string>> = {
  inbox: "Demo: made-up people, who sort their messages in their own ways.",
  news: "Demo: authors of headlines, who file them under different categories.",
  offense: "Demo: annotators, who rate how offensive a comment is, from 1 to 5.",
};

/** Says whose profiles a task of the demo has; empty of other tasks. */
export const aboutTask = (task: string): string => ABOUT[task] ?? "";
