/** What a vendor answers to one request; the body is sent as JSON. */
export interface ContractAnswer {
  status: number;
  body: unknown;
}
