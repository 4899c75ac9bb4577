/**
 * Looks at the host: netlink, /proc, files, Open vSwitch's sockets, nft, and BIRD's version. Nothing else is executed, nothing changed.
 * @module
 */
import { filterChains } from '../../../agent/node/foreign-filters.ts'
import { birdEnvironment, birdVersion } from '../../../bird/program.ts'
import { addrList, legacyFilter, linkList, openRtnl, routeList, sysctlGet, sysctlKey } from '../../../linux/index.ts'
import { BRIDGE } from '../../../network/host.ts'
import { connectOvsdb, decodeRows, everyRow, select } from '../../../ovs/ovsdb/index.ts'
import { unixctl, vswitchdControl } from '../../../ovs/unixctl.ts'
import { type HostFacts, type OvsdbFacts, type Read, SYSCTLS, type SysctlName } from '../facts.ts'
import { cniConfigs, linkFiles, networkdConfig, networkManagerConfig, pluginFile, portmapIn } from './files.ts'
import { modules, processes, tcpListeners, udpSockets } from './proc.ts'
import { reading, readingLater } from './reading.ts'

/** Where things are. */
export interface HostPaths {
  readonly ovsdb: string
  readonly ovsRunDir: string
  readonly cniConfDir: string
  readonly cniBinDir: string
  /** The root of configuration files. */
  readonly root: string
}

const TABLE_MAIN = 254
const UNICAST = 'unicast'
const OVSDB_WAIT_MS = 2_000

/** What is on the host. Never rejects: what cannot be had says why. `tunnelPort`: whose holder is looked for. */
export async function observeHost(paths: HostPaths): Promise<HostFacts> {
  const [ovsdb, vswitchd, filters, bird] = await Promise.all([
    readingLater(() => askOvsdb(paths.ovsdb)),
    readingLater(() => unixctl(vswitchdControl(paths.ovsRunDir), 'version', [])),
    readingLater(() => filterChains()),
    readingLater(() => birdVersion()),
  ])
  return {
    processes: processes(),
    ...netlinkFacts(),
    sysctls: sysctls(),
    networkd: networkdConfig(paths.root),
    networkManager: networkManagerConfig(paths.root),
    linkFiles: linkFiles(paths.root),
    modules: modules(),
    ovsdb,
    vswitchd,
    udp: udpSockets(),
    tcp: tcpListeners(),
    bird,
    birdc: reading(() => {
      const found = Bun.which('birdc', { PATH: birdEnvironment()['PATH'] ?? '' })
      if (found === null) throw new Error('birdc is not in the PATH, and not in /usr/sbin')
      return found
    }),
    cniConfigs: cniConfigs(paths.cniConfDir),
    plugin: pluginFile(paths.cniBinDir),
    portmap: portmapIn(paths.cniBinDir),
    filters,
    legacyFilters: reading(() => [...legacyFilter(4), ...legacyFilter(6)]),
  }
}

function netlinkFacts(): Pick<HostFacts, 'links' | 'addresses' | 'routes'> {
  return {
    links: reading(() => withRtnl((rtnl) => linkList(rtnl))),
    addresses: reading(() => withRtnl((rtnl) => addrList(rtnl))),
    routes: reading(() =>
      withRtnl((rtnl) => routeList(rtnl, { table: TABLE_MAIN })).filter(
        ({ type, table }) => type === UNICAST && table === TABLE_MAIN,
      ),
    ),
  }
}

function withRtnl<T>(look: (rtnl: ReturnType<typeof openRtnl>) => T): T {
  using rtnl = openRtnl()
  return look(rtnl)
}

function sysctls(): HostFacts['sysctls'] {
  const read = (name: SysctlName): Read<string> => reading(() => sysctlGet(sysctlKey(SYSCTLS[name])))
  const names = Object.keys(SYSCTLS) as SysctlName[]
  return Object.fromEntries(names.map((name) => [name, read(name)])) as HostFacts['sysctls']
}

async function askOvsdb(path: string): Promise<OvsdbFacts> {
  const signal = AbortSignal.timeout(OVSDB_WAIT_MS)
  await using client = await connectOvsdb({ path, signal, log: () => undefined })
  const [roots, bridges] = await client.transact(
    [
      select('Open_vSwitch', everyRow, ['ovs_version', 'datapath_types']),
      select('Bridge', everyRow, ['name', 'external_ids']),
    ],
    { signal },
  )
  const [root] = decodeRows('Open_vSwitch', roots, ['ovs_version', 'datapath_types'])
  return {
    version: root?.ovs_version ?? '',
    datapathTypes: root?.datapath_types ?? [],
    bridges: decodeRows('Bridge', bridges, ['name', 'external_ids']).map(({ name, external_ids }) => ({
      name,
      isOurs: name === BRIDGE && external_ids.has('weft-owner'),
    })),
  }
}
