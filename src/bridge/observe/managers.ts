/**
 * Who configures a link when the machine starts, and which servers it asks for names. Changes nothing.
 * @module
 */
import { existsSync, globSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { DnsFacts, Manager } from '../model.ts'
import { type NetplanFile, netplanId } from '../persist/netplan.ts'

/** What is there of each. */
export interface ManagerFacts {
  /** Files in the order in which netplan reads them. */
  readonly netplan: readonly NetplanFile[]
  /** All file names in netplan's folder. */
  readonly netplanFolder: ReadonlySet<string>
  /** Who configures the link. */
  readonly manager: Manager
  /** It runs now, and is told. */
  readonly isRunning: boolean
  /** NetworkManager's plugin for Open vSwitch. */
  readonly hasOvsPlugin: boolean
}

/** Looks at what is told of a link below `root`. */
export function observeManagers(root: string, link: string, index: number, mac: string): ManagerFacts {
  const folder = '/etc/netplan'
  const names = globSync(`${root}${folder}/*`).map((path) => join(folder, path.split('/').at(-1) ?? ''))
  const netplan = names
    .filter((path) => path.endsWith('.yaml'))
    .sort()
    .map((path) => ({ path, content: readFileSync(join(root, path), 'utf8') }))
  // The files and daemons of the machine speak of its own network namespace.
  const isOwn = root !== '/' || isFirstNamespace()
  const manager = !isOwn
    ? 'none'
    : netplanId(netplan, link, mac) !== undefined
      ? 'netplan'
      : isManagedByNetworkManager(root, index)
        ? 'networkmanager'
        : isManagedByNetworkd(root, index)
          ? 'networkd'
          : 'none'
  return {
    netplan,
    netplanFolder: new Set(names),
    manager,
    isRunning: root === '/' && isOwn,
    hasOvsPlugin: globSync(`${root}/usr/lib*/{*/,}NetworkManager/*/libnm-device-plugin-ovs.so`).length > 0,
  }
}

/** systemd-networkd's own note of a link, sd-network(3): it says `unmanaged` of what is not its own. */
function isManagedByNetworkd(root: string, index: number): boolean {
  const found = read(join(root, `/run/systemd/netif/links/${index}`))
  return found !== undefined && !/^ADMIN_STATE=(unmanaged|initialized|pending)$/m.test(found)
}

/** NetworkManager's note of a device: which connection it has. */
function isManagedByNetworkManager(root: string, index: number): boolean {
  const found = read(join(root, `/run/NetworkManager/devices/${index}`))
  return found !== undefined && /^connection-uuid=/m.test(found)
}

/** What a link asks: of systemd-resolved or networkd where they know, else what the machine asks. */
export function observeDns(root: string, index: number): DnsFacts {
  const own = [
    read(join(root, `/run/systemd/resolve/netif/${index}`)),
    read(join(root, `/run/systemd/netif/links/${index}`)),
  ]
  const [servers = [], domains = []] = ['(?:SERVERS|DNS)', 'DOMAINS'].map((key) =>
    own.flatMap((text) => words(new RegExp(`^${key}=(.*)$`, 'm').exec(text ?? '')?.[1] ?? '')),
  )
  if (servers.length > 0) return { from: 'resolved', servers: [...new Set(servers)], domains: [...new Set(domains)] }
  const lines = (read(join(root, '/etc/resolv.conf')) ?? '').split('\n').map(words)
  const of = (key: string): readonly string[] => lines.flatMap(([first, ...rest]) => (first === key ? rest : []))
  const asked = of('nameserver').filter(
    (server) => !server.startsWith('127.') && server !== '::1' && !server.includes('%'),
  )
  return { from: 'resolv.conf', servers: asked, domains: asked.length === 0 ? [] : of('search') }
}

/** Whether this is the network namespace that the machine was started with. */
export function isFirstNamespace(): boolean {
  try {
    return readlinkSync('/proc/1/ns/net') === readlinkSync('/proc/self/ns/net')
  } catch {
    return false
  }
}

function words(line: string): readonly string[] {
  return line.split(/\s+/).filter((word) => word !== '')
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
