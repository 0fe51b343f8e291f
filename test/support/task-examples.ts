/** Short texts of a help desk: eight of each of three labels, as they might be submitted. */
export const TICKETS: readonly { readonly text: string; readonly label: string }[] = Object.entries({
  billing: [
    "Please send me the invoice for March",
    "I was charged twice this month",
    "My card was declined although it is valid",
    "How can I change my payment method?",
    "The refund has not reached my account",
    "The amount on the bill is wrong",
    "Can I pay once a year?",
    "Where do I enter a discount code?",
  ],
  shipping: [
    "My parcel has not arrived",
    "The tracking number does not work",
    "Can you deliver to another address?",
    "The box was damaged when it came",
    "How long does delivery abroad take?",
    "One item was missing from the parcel",
    "The courier left it at the wrong house",
    "When will you send my order?",
  ],
  account: [
    "I cannot log in any more",
    "How do I reset my password?",
    "Please delete my account",
    "I want to change my email address",
    "The code for signing in never comes",
    "Somebody else uses my account",
    "Can two people share a login?",
    "My name is misspelled in the profile",
  ],
}).flatMap(([label, texts]) => texts.map((text) => ({ text, label })));
