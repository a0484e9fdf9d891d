/** What a page is given. */
export interface PageProps {
  /** Whose page it is, where it is somebody's; otherwise empty. */
  readonly providerId: string;
}
