/** Whether tests run in their long form (`npm run test:long`) instead of the short form of `npm test`. */
export const isLongForm = process.env.XPEFT_LONG === "1";
