/**
 * Trunks: many ports through the one of a machine, told apart by VLANs. Source: Networking API v2.0, "Trunk networking".
 * @module
 */
import { Decoder, type Fields } from '../decode.ts'
import { type NeutronCalls, pathId } from './call.ts'
import type { Subport, Trunk } from './model.ts'
import { subportsIn } from './port-decode.ts'

const DECODER = new Decoder('Neutron', 'a trunk')

/** Trunks that an account sees. */
export class Trunks {
  readonly #calls: NeutronCalls

  constructor(calls: NeutronCalls) {
    this.#calls = calls
  }

  async get(id: string, signal?: AbortSignal): Promise<Trunk> {
    const path = `/trunks/${pathId(id, 'trunk')}`
    return trunkOf(await this.#calls.one({ method: 'GET', path, key: 'trunk', doing: `show trunk ${id}`, signal }))
  }

  /** All that the account sees. `OPENSTACK_NOT_FOUND` where the cloud knows no trunks. */
  async list(signal?: AbortSignal): Promise<readonly Trunk[]> {
    const call = { path: '/trunks', key: 'trunks', query: [], doing: 'list trunks', signal }
    return (await this.#calls.list(call)).map(trunkOf)
  }

  /** The trunk on a machine's port; undefined where there is none. */
  async ofPort(portId: string, signal?: AbortSignal): Promise<Trunk | undefined> {
    const query = [['port_id', pathId(portId, 'port')]] as const
    const [trunk] = await this.#calls.list({
      path: '/trunks',
      key: 'trunks',
      query,
      doing: `find the trunk on port ${portId}`,
      signal,
    })
    return trunk === undefined ? undefined : trunkOf(trunk)
  }

  /**
   * Whether the port may be in use already is up to the driver: that of Open vSwitch refuses it (`OPENSTACK_IN_USE`), that of OVN allows it
   * in Neutron 21 (`can_trunk_bound_port`). Subports may come and go at any time. Tags come in a second call only, a description in this one.
   */
  async create(portId: string, name: string, description = ''): Promise<Trunk> {
    const body = { trunk: { port_id: portId, name, description, admin_state_up: true } }
    const doing = `create a trunk on port ${portId}`
    return trunkOf(await this.#calls.one({ method: 'POST', path: '/trunks', key: 'trunk', body, doing }))
  }

  /** False where it was gone already. */
  async delete(id: string): Promise<boolean> {
    return this.#calls.remove({ path: `/trunks/${pathId(id, 'trunk')}`, doing: `delete trunk ${id}` })
  }

  async subports(id: string, signal?: AbortSignal): Promise<readonly Subport[]> {
    const path = `/trunks/${pathId(id, 'trunk')}/get_subports`
    const doing = `list the ports of trunk ${id}`
    const found = await this.#calls.many({ method: 'GET', path, key: 'sub_ports', doing, signal })
    return subportsIn({ sub_ports: found })
  }

  /** All or none. Not to be repeated unseen: an error with `isUncertain` leaves open whether they are on it. */
  async addSubports(
    id: string,
    subports: readonly { readonly portId: string; readonly vlan: number }[],
  ): Promise<Trunk> {
    const sub_ports = subports.map(({ portId, vlan }) => ({
      port_id: portId,
      segmentation_type: 'vlan',
      segmentation_id: vlan,
    }))
    return this.#change(id, 'add_subports', sub_ports, `add ${subports.length} ports to trunk ${id}`)
  }

  /** All or none: `OPENSTACK_NOT_FOUND` where one of them is not on it. */
  async removeSubports(id: string, portIds: readonly string[]): Promise<Trunk> {
    const sub_ports = portIds.map((port_id) => ({ port_id }))
    return this.#change(id, 'remove_subports', sub_ports, `remove ${portIds.length} ports from trunk ${id}`)
  }

  async #change(id: string, action: string, sub_ports: readonly unknown[], doing: string): Promise<Trunk> {
    const path = `/trunks/${pathId(id, 'trunk')}/${action}`
    const objects = sub_ports.length
    const call = { method: 'PUT', path, key: 'trunk', body: { sub_ports }, objects, doing, isSafe: false } as const
    return trunkOf(await this.#calls.one(call))
  }
}

function trunkOf(fields: Fields): Trunk {
  return {
    id: DECODER.id(fields, 'id'),
    name: DECODER.textIfThere(fields, 'name') ?? '',
    description: DECODER.textIfThere(fields, 'description') ?? '',
    portId: DECODER.id(fields, 'port_id'),
    status: DECODER.text(fields, 'status'),
    isAdminUp: DECODER.flag(fields, 'admin_state_up'),
    subports: subportsIn(fields),
    tags: DECODER.texts(fields, 'tags'),
    revision: DECODER.integerIfThere(fields, 'revision_number', 0, Number.MAX_SAFE_INTEGER),
  }
}
