/** Who pays us; owns everything else. Its slots are counted in `plans/slots`. */
export interface Customer {
  id: string;
  name: string;
  createdAt: Date;
  /** Set once it is being deleted: from then on it is gone for everybody but the purge. */
  deletingSince?: Date;
}
