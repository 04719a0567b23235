/**
 * What an expression knows of a value before there is one. `dyn` is anything, known only when it is there; lists and maps
 * hold values of one type; `fields` is an object whose keys are known.
 */
export type ExpressionType =
  | 'string'
  | 'int'
  | 'double'
  | 'bool'
  | 'dyn'
  | { list: ExpressionType }
  | { map: ExpressionType }
  | { fields: Record<string, ExpressionType> };

/** The variables an expression may name, with their types. */
export type ExpressionScope = Record<string, ExpressionType>;
