/** By what a NIC can be named. The machine's own hardware is looked at and left alone. */
import { afterEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { JsonObject } from '../../../cni/index.ts'
import { linkList, openRtnl } from '../../../linux/index.ts'
import { findNic, isPlugged } from './find.ts'
import { parseNicNetconf } from './netconf.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

const rtnl = openRtnl()
const [real] = linkList(rtnl).filter(({ device, kind }) => device?.bus === 'virtio' && kind === undefined)
const SLOT = '0000:00:05.0'

/** A sysfs where the device of this machine's NIC is below a PCI slot, and another slot has a driver. */
function sysfs(driver = 'virtio-pci'): string {
  const root = mkdtempSync(join(tmpdir(), 'wefttest-sysfs-'))
  folders.push(root)
  const device = join(root, 'devices/pci0000:00', SLOT)
  const own = join(device, real?.device?.name ?? 'virtio3')
  mkdirSync(own, { recursive: true })
  symlinkTo(join(root, 'bus/pci/devices', SLOT), device)
  symlinkTo(join(root, 'bus/virtio/devices', real?.device?.name ?? 'virtio3'), own)
  symlinkTo(join(device, 'driver'), join(root, 'bus/pci/drivers', driver))
  return root
}

function symlinkTo(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true })
  mkdirSync(target, { recursive: true })
  symlinkSync(target, path)
}

describe.skipIf(real === undefined)('a virtio NIC', () => {
  test.each<[string, object]>([
    ['its name', { by: 'name', name: real?.name }],
    ['its MAC address', { by: 'mac', mac: real?.mac }],
    ['the PCI slot that its device is below', { by: 'pci', id: SLOT }],
    ['the path of the slot', { by: 'path', path: `/sys/devices/pci0000:00/${SLOT}` }],
    ['the path of its device', { by: 'path', path: `/sys/devices/pci0000:00/${SLOT}/${real?.device?.name}` }],
  ])('by %s', (_, choice) => {
    const place = { rtnl, sysfs: sysfs(), notes: [] }
    expect(findNic(choice as Parameters<typeof findNic>[0], place).index).toBe(real?.index ?? 0)
  })
})

test.each(['vfio-pci', 'uio_pci_generic', 'igb_uio'])('a device that %s hands to a program has no link', (driver) => {
  const place = { rtnl, sysfs: sysfs(driver), notes: [] }
  expect(() => findNic({ by: 'pci', id: SLOT }, place)).toThrow(
    `NIC ${SLOT} of this node cannot go into a pod: its driver ${driver} hands it to a program (DPDK)`,
  )
})

test('a device that is not there', () => {
  const place = { rtnl, sysfs: sysfs(), notes: [] }
  expect(() => findNic({ by: 'pci', id: '0000:00:09.0' }, place)).toThrow('this machine has no such device')
  expect(isPlugged({ bus: 'pci', name: SLOT }, place)).toBe(true)
  expect(isPlugged({ bus: 'pci', name: '0000:00:09.0' }, place)).toBe(false)
})

describe('a configuration', () => {
  test.each<[JsonObject, object]>([
    [{ device: 'eth1' }, { by: 'name', name: 'eth1' }],
    [{ hwaddr: 'FA-16-3E-00-00-05' }, { by: 'mac', mac: 'fa:16:3e:00:00:05' }],
    [
      { kernelpath: '/sys/devices/pci0000:00/0000:00:05.0/' },
      { by: 'path', path: '/sys/devices/pci0000:00/0000:00:05.0' },
    ],
    [{ pciBusID: '0000:00:1F.0' }, { by: 'pci', id: '0000:00:1f.0' }],
    // As the reference plugin has it.
    [
      { device: 'eth1', hwaddr: 'fa:16:3e:00:00:05' },
      { by: 'name', name: 'eth1' },
    ],
    [
      { device: 'eth1', runtimeConfig: { deviceID: SLOT } },
      { by: 'pci', id: SLOT },
    ],
  ])('%j', (config, choice) => {
    expect<unknown>(parseNicNetconf(config).choice).toEqual(choice)
  })

  test.each<[JsonObject, string]>([
    [{}, 'device: is missing: name the NIC by device, hwaddr, kernelpath, pciBusID or port'],
    [{ device: 'a/b' }, 'device: must not contain'],
    [{ device: 7 }, 'device: must be a string'],
    [{ hwaddr: '01:00:00:00:00:00' }, 'hwaddr: must be a unicast'],
    [{ kernelpath: '/etc' }, 'kernelpath: must be the path of a device below /sys/devices/'],
    [{ kernelpath: '/sys/devices/../../etc' }, 'kernelpath: must be'],
    [{ pciBusID: '../0000:00:05.0' }, 'pciBusID: must be the address of a PCI device'],
    [{ runtimeConfig: { deviceID: 'mlx5_core.sf.4' } }, 'auxiliary devices are not moved'],
    [{ port: 'p1', openstackConf: {} }, 'port: must be the ID of a Neutron port'],
    [{ port: '2233c32a-4092-4d8b-b44d-1c54f666c507' }, 'openstackConf: is missing'],
    [{ device: 'eth1', openstackConf: {}, ipam: { type: 'static' } }, 'ipam: must be left out'],
    [{ device: 'eth1', mtu: 20 }, 'mtu: must be a whole number'],
  ])('%j is refused', (config, words) => {
    expect(() => parseNicNetconf(config)).toThrow(words)
  })
})
