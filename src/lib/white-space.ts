// Unicode's White_Space, as in the training half. trim() and \s count the byte order mark, and not U+0085.
const WHITE = /\p{White_Space}/u;
const OTHER = /\P{White_Space}/u;

/** Whether a text has only white space. */
export const isBlank = (text: string): boolean => !OTHER.test(text);

/** Returns a text without white space at both ends. */
export function trimWhiteSpace(text: string): string {
  let end = text.length;
  while (WHITE.test(text.charAt(end - 1))) end--;
  return text.slice(Math.max(0, text.search(OTHER)), end);
}
