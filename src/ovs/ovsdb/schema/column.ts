/** Atomic types of RFC 7047 section 3.2. */
export type AtomType = 'string' | 'integer' | 'real' | 'boolean' | 'uuid'

/**
 * A column's type as this client uses it. `volatile` columns change every few seconds (statistics) and are only
 * monitored when named.
 */
export type Column =
  | { readonly kind: 'scalar' | 'optional' | 'set'; readonly key: AtomType; readonly volatile: boolean }
  | { readonly kind: 'map'; readonly key: AtomType; readonly value: AtomType; readonly volatile: boolean }

export type TableColumns = Readonly<Record<string, Column>>

/** Refers to a row that an `insert` of the same transaction makes. */
export type NamedUuid = { readonly namedUuid: string }

/** Refers to a row: its UUID, or the name of an insert in the same transaction. */
export type UuidRef = string | NamedUuid

export type AtomOf<A extends AtomType> = A extends 'boolean' ? boolean : A extends 'integer' | 'real' ? number : string
export type AtomInput<A extends AtomType> = A extends 'uuid' ? UuidRef : AtomOf<A>

/** What a column of a cached row holds. An empty optional is undefined, UUIDs are strings. */
export type ColumnValue<C extends Column> = C extends { readonly kind: 'map'; readonly value: infer V extends AtomType }
  ? ReadonlyMap<AtomOf<C['key']>, AtomOf<V>>
  : C['kind'] extends 'set'
    ? readonly AtomOf<C['key']>[]
    : C['kind'] extends 'optional'
      ? AtomOf<C['key']> | undefined
      : AtomOf<C['key']>

/** What may be written to a column. Maps may be given as records; undefined empties an optional. */
export type ColumnInput<C extends Column> = C extends { readonly kind: 'map'; readonly value: infer V extends AtomType }
  ? ReadonlyMap<AtomOf<C['key']>, AtomInput<V>> | Readonly<Record<AtomOf<C['key']> & (string | number), AtomInput<V>>>
  : C['kind'] extends 'set'
    ? readonly AtomInput<C['key']>[]
    : C['kind'] extends 'optional'
      ? AtomInput<C['key']> | undefined
      : AtomInput<C['key']>

export function scalar<const A extends AtomType>(key: A) {
  return { kind: 'scalar', key, volatile: false } as const
}

export function optional<const A extends AtomType>(key: A) {
  return { kind: 'optional', key, volatile: false } as const
}

export function set<const A extends AtomType>(key: A) {
  return { kind: 'set', key, volatile: false } as const
}

export function map<const K extends AtomType, const V extends AtomType>(key: K, value: V) {
  return { kind: 'map', key, value, volatile: false } as const
}

/** Marks a column as changing all the time. */
export function volatile<const C extends Column>(column: C): Omit<C, 'volatile'> & { readonly volatile: true } {
  return { ...column, volatile: true }
}
