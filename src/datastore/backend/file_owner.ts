/** uid and gid that new files get. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}
