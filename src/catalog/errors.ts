import type { FailureType } from '../domain/failures.ts';

/** A catalog that does not load, or a name it does not have. The activity turns it into a failure of the same type. */
export class CatalogError extends Error {
  readonly type: FailureType;

  constructor(type: FailureType, message: string) {
    super(message);
    this.name = type;
    this.type = type;
  }
}
