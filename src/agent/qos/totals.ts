/**
 * What namespaces ask for all their pods on a node together.
 * @module
 */
import { type Bandwidth, sameBandwidth, UNLIMITED } from '../../network/model/bandwidth.ts'
import { reflect } from '../../registry/reflector.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ReflectionHealth } from '../cluster/pods.ts'

/** What namespaces ask for. */
export class NamespaceTotals {
  readonly #onChange: () => void
  readonly #totals = new Map<string, Bandwidth>()
  #isRead = false

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** What was asked for a namespace; undefined before namespaces have been read. */
  wantedFor(namespace: string): Bandwidth | undefined {
    return this.#isRead ? (this.#totals.get(namespace) ?? UNLIMITED) : undefined
  }

  put(namespace: string, totals: Bandwidth = UNLIMITED): void {
    const before = this.#totals.get(namespace) ?? UNLIMITED
    if (Object.keys(totals).length === 0) this.#totals.delete(namespace)
    else this.#totals.set(namespace, totals)
    if (this.#isRead && !sameBandwidth(before, totals)) this.#onChange()
  }

  /** All of them have been told. */
  read(): void {
    this.#isRead = true
    this.#onChange()
  }
}

/** Keeps the totals equal to the registry until `signal` aborts. While the registry is away they stay as they are. */
export function reflectTotals(
  registry: Registry,
  totals: NamespaceTotals,
  { failed, recovered }: ReflectionHealth,
  signal: AbortSignal,
): void {
  const { done } = reflect(registry, 'Namespace', {
    onChange: ({ type, object }) => totals.put(object.name, type === 'put' ? object.value.totals : undefined),
    onSynced: () => totals.read(),
    signal,
    onError: failed,
    onRecovered: recovered,
  })
  done.catch((error: unknown) => {
    throw error
  })
}
