// Port: the right to stamp and to act. Whoever holds it appends to the journal with its epoch; a newer epoch ends an older one.

export interface Lease {
  /** Rises with every holder. */
  readonly epoch: number;
  release(): Promise<void>;
}

export interface LeaseHolder {
  /** Rejects with an OperatorError (`already-running`) that names the holder. */
  acquire(): Promise<Lease>;
}
