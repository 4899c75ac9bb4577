/**
 * The CNI type `ifacer`, as Spiderpool has it: VLAN links of the node, made when the first pod needs them. They stay, as
 * other pods may be on them, and have no addresses.
 * @module
 */

import { readingConfig } from '../../../cni/config-fault.ts'
import { type CniResult, cniError, EMPTY_RESULT, type JsonObject } from '../../../cni/index.ts'
import { asText, list, member, optionalInteger, ShapeError } from '../../../cni/json.ts'
import { hasErrno, type Link, linkAdd, linkFind, linkList, linkSet, type RtnlSocket } from '../../../linux/index.ts'
import type { Grants } from '../../../network/model/grants.ts'
import type { Plugin, PluginCall } from '../plugin.ts'
import { checkMayChoose, type MasterSource, masterFor } from './master.ts'

/** What the plugin works with. */
export interface IfacerParts extends MasterSource {
  grants(): Grants
}

/** A VLAN link of the node; without `vlan` the link itself. */
interface IfacerNetconf {
  readonly master: string
  readonly vlan?: number
}

const VLAN = [0, 4094] as const
const MAX_IFNAME = 15

/** The plugin `ifacer`. */
export function ifacerPlugin(parts: IfacerParts): Plugin {
  const wanted = async ({ config, origin }: Pick<PluginCall, 'config' | 'origin'>): Promise<Wanted> => {
    const netconf = readingConfig(() => parseNetconf(config))
    checkMayChoose(parts.grants(), origin, 'interfaces')
    return { ...netconf, link: await masterFor('vlan', netconf.master, parts) }
  }
  return {
    async add(call): Promise<CniResult> {
      const { link, vlan } = await wanted(call)
      linkSet(parts.rtnl, link.index, { up: true })
      if (vlan !== undefined) raiseVlan(parts.rtnl, link, vlan)
      return call.prevResult ?? EMPTY_RESULT
    },

    async del() {
      // Other pods may be on it.
    },

    async check(call) {
      const { link, vlan } = await wanted(call)
      const difference = differenceOf(parts.rtnl, link, vlan)
      if (difference !== undefined) throw cniError('check-failed', { difference })
    },

    async status({ config }) {
      await masterFor('vlan', readingConfig(() => parseNetconf(config)).master, parts)
    },
  }
}

interface Wanted extends IfacerNetconf {
  readonly link: Link
}

function parseNetconf(config: JsonObject): IfacerNetconf {
  const [master, ...others] = list(config, 'interfaces', 'interfaces', asText)
  if (master === undefined) throw new ShapeError('interfaces', 'must name a link of the node')
  if (others.length > 0 || member(config, 'bond') !== undefined) {
    const expected = 'bonds are not made here: make it by what configures the node, and name it as the only interface'
    throw new ShapeError(others.length > 0 ? 'interfaces' : 'bond', expected)
  }
  const vlan = optionalInteger(config, 'vlanID', 'vlanID', VLAN)
  if (!vlan) return { master }
  if (vlanLinkName(master, vlan).length > MAX_IFNAME) {
    throw new ShapeError(
      'vlanID',
      `makes a link's name longer than ${MAX_IFNAME} characters: ${vlanLinkName(master, vlan)}`,
    )
  }
  return { master, vlan }
}

/** As VLAN links are named everywhere. */
function vlanLinkName(master: string, vlan: number): string {
  return `${master}.${vlan}`
}

/** Sets a VLAN link up, and makes it where there is none. */
function raiseVlan(rtnl: RtnlSocket, master: Link, vlan: number): void {
  const name = vlanLinkName(master.name, vlan)
  const elsewhere = linkList(rtnl).find((link) => isVlan(link, vlan) && link.name !== name)
  if (elsewhere !== undefined) throw unfit(master, `VLAN ${vlan} is link ${elsewhere.name} of this node already`)
  const found = linkFind(rtnl, name) ?? makeVlan(rtnl, master, name, vlan)
  if (found !== undefined && !(isVlan(found, vlan) && found.parent === master.index)) {
    throw unfit(master, `${name} is there already and is something else`)
  }
  linkSet(rtnl, name, { up: true })
}

/** Undefined where somebody else made it at the same time. */
function makeVlan(rtnl: RtnlSocket, master: Link, name: string, id: number): Link | undefined {
  try {
    return linkAdd(rtnl, { kind: 'vlan', id, parent: master.index, name })
  } catch (error) {
    if (hasErrno(error, 'EOPNOTSUPP')) {
      throw cniError('kernel-feature-missing', { reason: 'links of kind vlan (module 8021q)' })
    }
    if (hasErrno(error, 'EEXIST')) return linkFind(rtnl, name)
    throw error
  }
}

function differenceOf(rtnl: RtnlSocket, master: Link, vlan: number | undefined): string | undefined {
  if (!master.up) return `link ${master.name} is down`
  if (vlan === undefined) return undefined
  const name = vlanLinkName(master.name, vlan)
  const found = linkFind(rtnl, name)
  if (found === undefined || !isVlan(found, vlan) || found.parent !== master.index) {
    return `link ${name} is gone or something else`
  }
  return found.up ? undefined : `link ${name} is down`
}

function isVlan({ data }: Link, vlan: number): boolean {
  return data?.kind === 'vlan' && data.id === vlan
}

function unfit({ name }: Link, reason: string): Error {
  return cniError('master-unfit', { master: name, kind: 'vlan', reason })
}
