/**
 * What the CNI plugin `host-local` remembers: a file per address, named after it, with the container's id and since CNI
 * plugins 0.8 the interface's name on a second line.
 * @module
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseIp } from '../../network/model/address.ts'
import { namesIn } from './names-in.ts'
import type { AddressRecord } from './observed.ts'

/** A container's id is up to 255 bytes (CNI), an interface's name up to 15. */
const MAX_FILE = 1024

/** Every address that `host-local` gave out below a folder, `/var/lib/cni/networks`: one folder per network. */
export function hostLocalRecords(folder: string): readonly AddressRecord[] {
  return namesIn(folder).flatMap((network) =>
    namesIn(join(folder, network)).flatMap((name) => recordIn(join(folder, network, name), name)),
  )
}

function recordIn(path: string, name: string): readonly AddressRecord[] {
  const address = parseIp(name)
  if (address === undefined) return []
  try {
    if (statSync(path).size > MAX_FILE) return []
    const [containerId = '', ifname = ''] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
    return [{ address, containerId: containerId.trim(), ifname: ifname === '' ? undefined : ifname.trim() }]
  } catch {
    // Given back in between.
    return []
  }
}
