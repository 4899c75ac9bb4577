/**
 * Which ports the cluster's pods have by names.
 * @module
 */
import type { NamedPort } from '../model/pod.ts'

/** Named ports, each as often as pods have it. */
export class PortNames {
  readonly #ports = new Map<string, Map<string, { readonly port: NamedPort; count: number }>>()
  readonly #ofPod = new Map<string, readonly NamedPort[]>()

  /** A pod has these ports now; returns the names that begin or cease to stand for some number by it. */
  set(pod: string, ports: readonly NamedPort[]): readonly string[] {
    const before = this.#ofPod.get(pod) ?? []
    if (before.length === 0 && ports.length === 0) return []
    if (ports.length === 0) this.#ofPod.delete(pod)
    else this.#ofPod.set(pod, ports)
    const changed = new Set<string>()
    for (const port of ports) if (this.#count(port, 1)) changed.add(port.name)
    for (const port of before) if (this.#count(port, -1)) changed.add(port.name)
    return [...changed]
  }

  /** The ports of this name, in order. */
  of(name: string): readonly NamedPort[] {
    const ports = [...(this.#ports.get(name)?.values() ?? [])].map(({ port }) => port)
    return ports.sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1))
  }

  #count({ name, protocol, port }: NamedPort, by: 1 | -1): boolean {
    const ports = this.#ports.get(name) ?? new Map<string, { readonly port: NamedPort; count: number }>()
    this.#ports.set(name, ports)
    const key = `${protocol} ${port}`
    const entry = ports.get(key) ?? { port: { name, protocol, port }, count: 0 }
    entry.count += by
    if (entry.count > 0) ports.set(key, entry)
    else ports.delete(key)
    if (ports.size === 0) this.#ports.delete(name)
    return by === 1 ? entry.count === 1 : entry.count === 0
  }
}
