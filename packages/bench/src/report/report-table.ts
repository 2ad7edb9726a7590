/** A table before it is text or HTML: what is compared stands side by side, one figure a row. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly groups: readonly RowGroup[];
}

export interface RowGroup {
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Row {
  /** At most 22 characters, so that four columns fit a terminal. */
  readonly label: string;
  /** One for each column. */
  readonly cells: readonly string[];
}
