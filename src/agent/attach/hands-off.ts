/**
 * Ports whose shaping is ours. Open vSwitch looks after every port's queueing discipline and removes others' from it,
 * unless the port's QoS row is of the type `linux-noop` (ovs-vswitchd.conf.db(5)). All such ports share one row. What a
 * port is held to is recorded beside its lease, in the transaction that names the row.
 * @module
 */
import type { Limits } from '../../network/model/bandwidth.ts'
import { advanceConfig } from '../../ovs/ovsdb/helpers/ports.ts'
import {
  byName,
  byUuid,
  deleteRows,
  insert,
  mutate,
  named,
  type Operation,
  type OvsdbClient,
  type UuidRef,
  update,
} from '../../ovs/ovsdb/index.ts'
import { LIMITS_KEY, limitsText } from './lease.ts'
import type { Tables } from './tables.ts'

const TYPE = 'linux-noop'
const OWNER = { key: 'weft-owner', value: 'weft-agent' } as const
const TIMEOUT_MS = 5_000

/** The row that tells Open vSwitch to leave a port's queueing discipline alone, and the ports that name it. */
export class HandsOff {
  readonly #client: Pick<OvsdbClient, 'transact'>
  readonly #tables: Tables

  constructor(client: Pick<OvsdbClient, 'transact'>, tables: Tables) {
    this.#client = client
    this.#tables = tables
  }

  /** Whether a port is ours to shape. */
  has(link: string): boolean {
    const qos = this.#tables.byName('Port', link)?.qos
    return qos !== undefined && this.#rows().includes(qos)
  }

  /** The row's UUID; it is made where there is none. */
  async row(): Promise<string> {
    const [known] = this.#rows()
    if (known !== undefined) return known
    await this.#client.transact([insertRow('qos'), ...advanceConfig()])
    return this.#tables.waitFor(() => this.#rows()[0], { timeoutMs: TIMEOUT_MS, what: 'the row of shaped ports' })
  }

  /**
   * Records what a port's endpoint is held to; resolves when the tables show it. A port that is gone is no error. One that
   * has been ours to shape stays so: Open vSwitch would clear its queue with all that waits there.
   */
  async setLimits(link: string, limits: Limits): Promise<void> {
    const text = limitsText(limits)
    const naming = text === undefined ? [] : this.#naming(link)
    await this.#client.transact([...naming, ...recording(link, text), ...advanceConfig()])
    const isShown = (): true | undefined => {
      const row = this.#tables.byName('Interface', link)
      return row === undefined || row.external_ids.get(LIMITS_KEY) === text ? true : undefined
    }
    await this.#tables.waitFor(isShown, { timeoutMs: TIMEOUT_MS, what: `the limits of ${link}` })
  }

  /** Removes rows of ours that two agents made at once: one is enough. */
  async sweep(): Promise<void> {
    const used = new Set([...this.#tables.rows('Port').values()].map(({ qos }) => qos))
    const spare = this.#rows().filter((uuid, i) => i > 0 && !used.has(uuid))
    if (spare.length > 0) await this.#client.transact(spare.map((uuid) => deleteRows('QoS', byUuid(uuid))))
  }

  #naming(link: string): readonly Operation[] {
    const [known] = this.#rows()
    const row: UuidRef = known ?? named('qos')
    return [...(known === undefined ? [insertRow('qos')] : []), update('Port', byName(link), { qos: row })]
  }

  /** UUIDs of the rows that are ours, always in the same order. */
  #rows(): readonly string[] {
    const all = [...this.#tables.rows('QoS')]
    return all
      .filter(([, { type, external_ids: ids }]) => type === TYPE && ids.get(OWNER.key) === OWNER.value)
      .map(([uuid]) => uuid)
      .sort()
  }
}

function insertRow(name: string): Operation {
  return insert('QoS', { type: TYPE, external_ids: { [OWNER.key]: OWNER.value } }, name)
}

function recording(link: string, text: string | undefined): readonly Operation[] {
  const insertion = text === undefined ? {} : { [LIMITS_KEY]: text }
  return [
    mutate('Interface', byName(link), [
      ['external_ids', 'delete', [LIMITS_KEY]],
      ['external_ids', 'insert', insertion],
    ]),
  ]
}
