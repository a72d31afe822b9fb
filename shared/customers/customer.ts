/** A customer pays us and owns everything else. Its slots are counted in `plans/slots.ts`. */
export interface Customer {
  id: string;
  name: string;
  createdAt: Date;
  /** Set when the deletion begins. From then on, only the deletion itself still sees the customer. */
  deletingSince?: Date;
}
