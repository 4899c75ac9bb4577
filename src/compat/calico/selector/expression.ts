/**
 * What a selector of Calico says.
 * @module
 */

/** What a label's value is held against. All but `in` are false where the label is absent, and so is `in`. */
export type Comparison = 'in' | 'contains' | 'startsWith' | 'endsWith'

/** A selector, taken apart. */
export type Expression =
  /** `all()`, and an empty text. */
  | { readonly type: 'all' }
  /** `global()`: what is in no namespace. */
  | { readonly type: 'global' }
  | { readonly type: 'has'; readonly key: string }
  /** `==` is `in` with one value. One value for all but `in`, which may have none. */
  | { readonly type: 'compare'; readonly key: string; readonly how: Comparison; readonly values: readonly string[] }
  /** `!`, and what `!=` and `not in` are. */
  | { readonly type: 'not'; readonly of: Expression }
  | { readonly type: 'and'; readonly of: readonly Expression[] }
  | { readonly type: 'or'; readonly of: readonly Expression[] }

/** Whether labels meet a selector. `global()` holds where no label says a namespace: `isGlobal` says that. */
export function meets(expression: Expression, labels: Readonly<Record<string, string>>, isGlobal = false): boolean {
  switch (expression.type) {
    case 'all':
      return true
    case 'global':
      return isGlobal
    case 'has':
      return Object.hasOwn(labels, expression.key)
    case 'compare': {
      const value = Object.hasOwn(labels, expression.key) ? labels[expression.key] : undefined
      return value !== undefined && expression.values.some((wanted) => COMPARE[expression.how](value, wanted))
    }
    case 'not':
      return !meets(expression.of, labels, isGlobal)
    case 'and':
      return expression.of.every((one) => meets(one, labels, isGlobal))
    case 'or':
      return expression.of.some((one) => meets(one, labels, isGlobal))
  }
}

const COMPARE: Readonly<Record<Comparison, (value: string, wanted: string) => boolean>> = {
  in: (value, wanted) => value === wanted,
  contains: (value, wanted) => value.includes(wanted),
  startsWith: (value, wanted) => value.startsWith(wanted),
  endsWith: (value, wanted) => value.endsWith(wanted),
}
