/** A task's name. */
export const taskPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** A profile's id, which only its owner interprets. */
export const profilePattern = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

/** What a profile's id looks like, for messages. */
export const ID_RULE =
  "A profile's id has 1 to 128 of the characters A-Z a-z 0-9 . _ : @ - and starts with a letter or a digit";

/** The longest part of an id that a message quotes. */
const QUOTED_CHARACTERS = 40;

/** Returns what is wrong with a text that is not a profile's id, and what an id looks like. */
export function describeInvalidId(text: string): string {
  const [odd] = text.match(/[^A-Za-z0-9._:@-]/u) ?? [];
  const quoted = JSON.stringify(text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text);
  let fault = `begins with ${JSON.stringify(text[0])}`;
  if (text === "") fault = "is empty";
  else if (odd !== undefined) fault = `has ${JSON.stringify(odd)} in it`;
  else if (/^[A-Za-z0-9]/.test(text)) fault = `has ${text.length} characters`;
  return `${quoted} ${fault}. ${ID_RULE}`;
}

/** The name of a profile. */
export interface ProfileName {
  readonly task: string;
  readonly id: string;
}

/** Returns how messages name a profile. */
export const describeProfile = ({ id }: Pick<ProfileName, "id">): string => `Profile "${id}"`;
