/**
 * NodePorts as this process last heard of them or wrote them, whichever is newer.
 * @module
 */
import type { NodePorts } from '../../network/model/neutron.ts'
import type { Reflection, StoreChange } from '../../registry/reflector.ts'
import { type Registry, RegistryError, type Stored } from '../../registry/registry.ts'
import type { NodePortsStore } from './keeper.ts'

/** Shared state as the keepers of nodes see it. */
export class PortsStore implements NodePortsStore {
  readonly #registry: Registry
  readonly #heard: Pick<Reflection<'NodePorts'>, 'store'>
  readonly #written = new Map<string, Stored<'NodePorts'>>()
  /** Deleted here: up to this revision nothing that is heard counts. */
  readonly #removed = new Map<string, number>()

  constructor(registry: Registry, heard: Pick<Reflection<'NodePorts'>, 'store'>) {
    this.#registry = registry
    this.#heard = heard
  }

  /** The registry told of a change: what was written before it no longer counts. */
  changed({ type, object }: StoreChange<'NodePorts'>): void {
    if (type === 'delete') this.#removed.delete(object.name)
    const written = this.#written.get(object.name)
    if (written !== undefined && written.revision <= object.revision) this.#written.delete(object.name)
  }

  get(node: string): NodePorts | undefined {
    return this.#newest(node)?.value
  }

  names(): ReadonlySet<string> {
    return new Set(
      [...this.#heard.store.keys(), ...this.#written.keys()].filter((name) => this.get(name) !== undefined),
    )
  }

  async put(value: NodePorts): Promise<void> {
    const before = this.#newest(value.node)
    try {
      const after =
        before === undefined
          ? await this.#registry.create('NodePorts', value.node, value)
          : await this.#registry.update('NodePorts', value.node, value, before.revision)
      this.#written.set(value.node, after)
    } catch (error) {
      this.#written.delete(value.node)
      const isHidden = before === undefined && error instanceof RegistryError && error.code === 'REGISTRY_EXISTS'
      if (isHidden && !this.#heard.store.has(value.node)) await this.#uncover(value.node)
      throw error
    }
  }

  /** Something is there that was not heard of: it is news, or it cannot be read. Of the latter Neutron knows all that it could say. */
  async #uncover(node: string): Promise<void> {
    // The controller's role lists them, and gets none.
    const { objects } = await this.#registry.list('NodePorts', undefined, node)
    const there = objects.find(({ name }) => name === node)
    if (there === undefined) await this.#delete('NodePorts', node)
    else this.#written.set(node, there)
  }

  async remove(node: string): Promise<void> {
    const revision = this.#newest(node)?.revision ?? 0
    await this.#delete('NodePorts', node)
    this.#written.delete(node)
    this.#removed.set(node, revision)
  }

  async forgetUse(node: string): Promise<void> {
    await this.#delete('PortUse', node)
  }

  #newest(node: string): Stored<'NodePorts'> | undefined {
    const [told, written] = [this.#heard.store.get(node), this.#written.get(node)]
    const heard = told !== undefined && told.revision <= (this.#removed.get(node) ?? -1) ? undefined : told
    return heard !== undefined && (written === undefined || heard.revision > written.revision) ? heard : written
  }

  async #delete(kind: 'NodePorts' | 'PortUse', node: string): Promise<void> {
    try {
      await this.#registry.delete(kind, node)
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== 'REGISTRY_NOT_FOUND') throw error
    }
  }
}
