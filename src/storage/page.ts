/** Which page of a list to read. */
export interface ListQuery {
  /** The most items, from 1. */
  readonly limit: number;
  /** The last name of the previous page; empty for the first page. */
  readonly after: string;
}

/** A page of a list. */
export interface ListPage<Item> {
  readonly items: Item[];
  /** `after` of the next page; null on the last page. */
  readonly next: string | null;
}
