/** Which page of a list to read. */
export interface ListQuery {
  /** The most items, from 1. */
  readonly limit: number;
  /** The last name of the previous page; empty for the first page. */
  readonly after: string;
}

/** The most bytes of masks and label biases in a page of profiles. Those of most tasks take a tenth of it or less. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** Returns how many profiles a page has, at least one. @param profileBytes the most bytes of a profile's parts */
export function profilesOfPage(limit: number, profileBytes: number): number {
  return Math.min(limit, Math.max(1, Math.floor(PAGE_BYTES / Math.max(1, profileBytes))));
}

/** A page of a list. */
export interface ListPage<Item> {
  readonly items: Item[];
  /** `after` of the next page; null on the last page. */
  readonly next: string | null;
}
