/**
 * Which link of the node is the NIC that a configuration names.
 * @module
 */
import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { cniError } from '../../../cni/index.ts'
import { type Link, linkList, type RtnlSocket } from '../../../linux/index.ts'
import type { NicChoice } from './netconf.ts'
import type { NicAtHome, NicNote } from './note.ts'

/** Where NICs are looked for. */
export interface NicPlace {
  /** The node's own namespace. */
  readonly rtnl: RtnlSocket
  /** Where sysfs is mounted. */
  readonly sysfs: string
  /** NICs that are away. */
  readonly notes: readonly NicNote[]
}

/** Drivers that hand a device to a program: there is no link of it. */
const WITHOUT_LINK: ReadonlySet<string> = new Set(['vfio-pci', 'uio_pci_generic', 'igb_uio'])

/** The link. Throws `nic-unfit` where there is none, or more than one. */
export function findNic(choice: Exclude<NicChoice, { by: 'port' }>, place: NicPlace): Link {
  const links = linkList(place.rtnl)
  switch (choice.by) {
    case 'name':
      return only(
        links.filter(({ name }) => name === choice.name),
        choice.name,
        holder(place, ({ name }) => name === choice.name),
      )
    case 'mac':
      return only(
        byMac(links, choice.mac),
        choice.mac,
        holder(place, ({ mac }) => mac === choice.mac),
      )
    case 'path':
      return only(byDevice(links, choice.path.replace(/^\/sys/, place.sysfs), place), choice.path)
    case 'pci':
      return only(byDevice(links, pciDevice(choice.id, place), place), choice.id)
  }
}

/** Whether the machine still has the device that a link was of. */
export function isPlugged({ bus, name }: NonNullable<Link['device']>, { sysfs }: Pick<NicPlace, 'sysfs'>): boolean {
  return existsSync(join(sysfs, 'bus', bus, 'devices', name))
}

/** Links on a NIC (VLANs, bridges) have its MAC address, too: where hardware has it, that is meant. */
function byMac(links: readonly Link[], mac: string): readonly Link[] {
  const having = links.filter((link) => link.mac === mac)
  const hardware = having.filter(({ kind }) => kind === undefined)
  return hardware.length > 0 ? hardware : having
}

/** A virtio NIC's own device is one below that of the PCI bus. */
function byDevice(links: readonly Link[], path: string, { sysfs }: NicPlace): readonly Link[] {
  const wanted = realPath(path)
  if (wanted === undefined) throw unfit(basename(path), 'this machine has no such device')
  return links.filter(({ device }) => {
    if (device === undefined) return false
    const own = realPath(join(sysfs, 'bus', device.bus, 'devices', device.name))
    return own === wanted || (device.bus === 'virtio' && own !== undefined && dirname(own) === wanted)
  })
}

function pciDevice(id: string, { sysfs }: NicPlace): string {
  const path = join(sysfs, 'bus/pci/devices', id)
  const driver = driverOf(path)
  if (driver !== undefined && WITHOUT_LINK.has(driver)) {
    throw unfit(id, `its driver ${driver} hands it to a program (DPDK): it has no link that could be moved`)
  }
  return path
}

function driverOf(path: string): string | undefined {
  try {
    return basename(readlinkSync(join(path, 'driver')))
  } catch {
    return undefined
  }
}

function realPath(path: string): string | undefined {
  try {
    readdirSync(path)
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function holder({ notes }: NicPlace, isMeant: (nic: NicAtHome) => boolean): NicNote | undefined {
  return notes.find(({ nic }) => isMeant(nic))
}

function only(found: readonly Link[], nic: string, holder?: NicNote): Link {
  const [link, ...others] = found
  if (link === undefined) {
    const where =
      holder === undefined ? 'none is plugged in here that no pod has' : `container ${holder.containerId} has it`
    throw unfit(nic, `there is no such link on the node: ${where}`)
  }
  if (others.length > 0) throw unfit(nic, `several links are that: ${found.map(({ name }) => name).join(', ')}`)
  return link
}

function unfit(nic: string, reason: string): Error {
  return cniError('nic-unfit', { nic, reason })
}
