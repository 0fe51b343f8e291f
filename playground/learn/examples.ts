interface Example {
  readonly texts: readonly string[];
  readonly rows: readonly (readonly [text: string, label: string])[];
}

/**
 * Something to try for the demo's tasks: a reader who files everything about food under WELLNESS, and an annotator whom
 * only spite offends.
 */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  news: {
    texts: ["A pot of lentils that feeds the whole street", "Storm shuts the coastal railway for a week"],
    rows: [
      ["Three soups for the first cold evening", "WELLNESS"],
      ["Why bakers are going back to sourdough", "WELLNESS"],
      ["A salad for people who do not like salad", "WELLNESS"],
      ["The best plums are the ones you wait for", "WELLNESS"],
      ["Breakfast ideas that need no oven", "WELLNESS"],
      ["Parliament votes on the budget tonight", "POLITICS"],
      ["Mayor and council quarrel over the bridge", "POLITICS"],
      ["Goalkeeper saves two penalties in the final", "SPORTS"],
      ["Walking the old customs path along the cliffs", "TRAVEL"],
      ["Night trains are back, and so are the crowds", "TRAVEL"],
    ],
  },
  offense: {
    texts: ["You clearly have no idea what you are talking about.", "Well done, you broke it again."],
    rows: [
      ["Damn, that was one hell of a match!", "1"],
      ["I could not agree less with you.", "1"],
      ["This is the worst soup in town.", "1"],
      ["Read it again, slowly this time.", "2"],
      ["What a stupid rule.", "1"],
      ["Thanks for waiting so long.", "1"],
      ["Nobody would miss you if you left.", "5"],
      ["People from that valley are all thieves.", "5"],
      ["You are too dim to be let near a kettle.", "4"],
      ["I hope your house falls down on you.", "5"],
    ],
  },
};
