/**
 * Checks: who else takes care of this host's links, routes and addresses.
 * @module
 */
import { DIRECT } from '../../../network/fabric/direct.ts'
import { BRIDGE, GATEWAY, ROUTE_PROTOCOL, TUNNEL } from '../../../network/host.ts'
import { type Cidr, overlaps, parseCidr } from '../../../network/model/address.ts'
import { type Check, fail, given, ok, unknown, warn } from '../check.ts'
import type { HostFacts, LinkFile } from '../facts.ts'
import { type IniSection, lastValue, matchesGlob, truth } from '../ini.ts'

/** Names of our links, one of each kind. */
const OURS = [GATEWAY, BRIDGE, 'weft0123456789a'] as const

/** systemd-networkd removes what it did not make itself, unless told not to. */
const networkd: Check = {
  id: 'networkd',
  look: ({ processes, networkd: config }) =>
    given(processes, (running) => {
      if (!running.some(({ name }) => 'systemd-networkd'.startsWith(name) && name.length === 15))
        return ok('systemd-networkd does not run')
      return given(config, (sections) => {
        const keys = ['ManageForeignRoutes', 'ManageForeignRoutingPolicyRules']
        const managed = keys.filter((key) => truth(lastValue(sections, 'Network', key)) !== false)
        if (managed.length === 0) return ok('systemd-networkd leaves routes and rules of others alone')
        return warn(
          `systemd-networkd removes routes or rules of others when it starts (${managed.join(', ')} not switched off)`,
          `write [Network], ${managed.map((key) => `${key}=no`).join(', ')} to /etc/systemd/networkd.conf.d/weft.conf and restart it`,
        )
      })
    }),
}

const networkManager: Check = {
  id: 'network-manager',
  look: ({ processes, networkManager: config }) =>
    given(processes, (running) => {
      if (!running.some(({ name }) => name === 'NetworkManager')) return ok('NetworkManager does not run')
      return given(config, (sections) => {
        const managed = OURS.filter((name) => !isUnmanaged(sections, name))
        if (managed.length === 0) return ok('NetworkManager leaves our links alone')
        return warn(
          `NetworkManager may take over ${managed.join(', ')}`,
          'write [keyfile], unmanaged-devices=interface-name:weft*;interface-name:br-weft to /etc/NetworkManager/conf.d/weft.conf and reload it',
        )
      })
    }),
}

/** NetworkManager.conf(5): `unmanaged-devices`, or a device section with `managed=0`. */
function isUnmanaged(sections: readonly IniSection[], name: string): boolean {
  const matches = (spec: string): boolean =>
    spec
      .split(/[;,]/)
      .map((one) => one.trim())
      .some((one) => one === '*' || (one.startsWith('interface-name:') && matchesGlob(one.slice(15), name)))
  if (matches(lastValue(sections, 'keyfile', 'unmanaged-devices') ?? '')) return true
  // `unmanaged-devices+=` adds to what files before said.
  const added = sections.filter(({ name: section }) => section === 'keyfile').flatMap(({ entries }) => entries)
  if (added.some(([key, value]) => key === 'unmanaged-devices+' && matches(value))) return true
  return sections.some((section) => {
    const value = (key: string) => section.entries.findLast(([one]) => one === key)?.[1]
    const isOff = truth(value('managed')) === false
    return section.name.startsWith('device') && isOff && matches(value('match-device') ?? '')
  })
}

const macPolicy: Check = {
  id: 'mac-policy',
  look: ({ processes, linkFiles }) =>
    given(processes, (running) => {
      if (!running.some(({ name }) => name === 'systemd-udevd' || name === '(udev-worker)'))
        return ok('systemd-udevd does not run')
      return given(linkFiles, (files) => {
        const renamed = OURS.flatMap((name) => {
          const file = files.find(({ sections }) => isFor(sections, name))
          return file !== undefined && policyOf(file) === 'persistent' ? [{ name, path: file.path }] : []
        })
        const [first] = renamed
        if (first === undefined) return ok('no MACAddressPolicy=persistent for our links')
        return warn(
          `${first.path} gives ${renamed.map(({ name }) => name).join(', ')} another MAC address after they were made`,
          'write [Match], OriginalName=weft* br-weft, [Link], MACAddressPolicy=none to /etc/systemd/network/10-weft.link',
        )
      })
    }),
}

function policyOf({ sections }: LinkFile): string | undefined {
  return lastValue(sections, 'Link', 'MACAddressPolicy')
}

/** systemd.link(5): all conditions hold. Others than names (drivers, paths) are taken as not ours. */
function isFor(sections: readonly IniSection[], name: string): boolean {
  const conditions = sections.filter((section) => section.name === 'Match').flatMap(({ entries }) => entries)
  if (conditions.length === 0) return false
  return conditions.every(
    ([key, value]) => key === 'OriginalName' && value.split(/\s+/).some((pattern) => matchesGlob(pattern, name)),
  )
}

const names: Check = {
  id: 'names',
  look: ({ links, ovsdb }) =>
    given(links, (all) => {
      // On Open vSwitch these are of the kind openvswitch, or a TAP of its userspace datapath.
      const foreign = all.filter(
        ({ name, kind }) =>
          [BRIDGE, GATEWAY, TUNNEL, DIRECT].includes(name) && kind !== 'openvswitch' && kind !== 'tun',
      )
      const [first] = foreign
      if (first !== undefined) {
        const what = first.kind ?? 'link of hardware'
        return fail(`${first.name} is a ${what} of somebody else`, `rename or remove it: Weft needs the name`)
      }
      const bridge = ovsdb.ok ? ovsdb.value.bridges.find(({ name }) => name === BRIDGE) : undefined
      if (bridge?.isOurs === false)
        return fail(`Open vSwitch has a bridge ${BRIDGE} that Weft did not make`, 'rename or remove that bridge')
      const old = all.filter(({ name }) => name === 'tun0' || name === 'br0').map(({ name }) => name)
      if (old.length > 0 && ovsdb.ok && ovsdb.value.bridges.some(({ name }) => name === 'br0'))
        return warn(`br0 with ${old.join(', ')} of another network plugin is there`, 'take its pods over: weft adopt')
      return ok('nobody else has the names of our links')
    }),
}

const ranges: Check = {
  id: 'ranges',
  look: ({ routes, links }, { cluster }) => {
    if (cluster === undefined)
      return unknown(
        'the ranges of pods and services are not known here',
        'start the agent, or name the cluster: --kubeconfig FILE',
      )
    return given(routes, (all) => {
      const own = [...cluster.networks.map(({ cidr }) => cidr), ...cluster.serviceNetworks]
      const foreign = all.flatMap(({ destination, protocol, link }) => {
        const network = parseCidr(destination)
        const isOurs = protocol === ROUTE_PROTOCOL || linkName({ links }, link) === GATEWAY
        const met = network === undefined || isOurs ? undefined : own.find((one) => meets(one, network))
        return met === undefined ? [] : [`${destination} by ${linkName({ links }, link)} overlaps ${met}`]
      })
      if (foreign.length === 0) return ok(`no route of others overlaps ${own.join(', ')}`)
      return fail(`a route of this host: ${foreign.join('; ')}`, 'choose other ranges, or remove these routes')
    })
  },
}

/** A route that covers everything is the way to the rest of the world. */
function meets(own: Cidr, network: Cidr): boolean {
  return !network.endsWith('/0') && overlaps(own, network)
}

function linkName({ links }: Pick<HostFacts, 'links'>, index: number | undefined): string {
  const found = links.ok ? links.value.find((link) => link.index === index)?.name : undefined
  return found ?? `link ${index ?? 'of several'}`
}

export const LINK_CHECKS: readonly Check[] = [networkd, networkManager, macPolicy, names, ranges]
