/** How often one service gave one status to one kind of request. The services' counts are shown together. */
export interface RequestCount {
  service: string;
  method: string;
  route: string;
  status: number;
  count: number;
}
