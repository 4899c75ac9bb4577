/**
 * Who makes the bridge again when the machine starts: files, and what running daemons are told.
 * @module
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BridgeError } from '../errors.ts'
import type { Change, DnsFacts, Manager, PlannedFile, Step, UplinkFacts } from '../model.ts'
import { type ManagerFacts, observeDns, observeManagers } from '../observe/managers.ts'
import { NOT_PERSISTENT, type Persistence } from '../plan.ts'
import type { Wish } from '../wish.ts'
import { isOurFile } from './header.ts'
import { layer3Of } from './layer3.ts'
import { netplanForm, netplanWritten } from './netplan.ts'
import { networkManagerFiles, networkManagerForm, networkManagerRows, UNMANAGED } from './network-manager.ts'
import { networkdFiles, networkdForm } from './networkd.ts'

/** What `--persist` takes. */
export const PERSIST_CHOICES = ['auto', 'netplan', 'networkmanager', 'networkd', 'none'] as const
export type PersistChoice = (typeof PERSIST_CHOICES)[number]

/** A persistent form with what has to be told besides. */
export interface Persisting extends Persistence {
  /** Steps that hand DNS over. */
  readonly steps: readonly Step[]
  readonly notes: readonly string[]
}

/** What is asked for, and of which machine. */
export interface Asked {
  readonly wish: Wish
  readonly uplink: UplinkFacts
  readonly token: string
  readonly persist: PersistChoice
  readonly root: string
}

/** The persistent form of a bridge that is to be made. Throws BRIDGE_PERSIST for one that would not work. */
export function persistenceFor({ wish, uplink, token, persist, root }: Asked): Persisting {
  const facts = observeManagers(root, uplink.name, uplink.index, uplink.mac)
  const dns = observeDns(root, uplink.index)
  const { manager, notes } = chosen(persist, facts, wish)
  const steps = wish.move ? dnsSteps(dns, uplink.name, wish.bridge, facts.isRunning) : []
  // A daemon of the machine goes on with the card as it was told: it is told otherwise, whoever keeps the bridge.
  const isNm = facts.manager === 'networkmanager' && facts.isRunning
  const letGo = isNm ? [nmcli(uplink.name, 'no')] : []
  const takeBack = isNm ? [{ ...nmcli(uplink.name, 'yes'), mayFail: true }] : []
  if (manager === 'none') {
    const files = isNm ? shared(root).map((file) => placed(root, file)) : []
    return { ...NOT_PERSISTENT, files, letGo, takeBack, reload: isNm ? reloads('networkmanager') : [], steps, notes }
  }
  const layer3 = layer3Of(wish, uplink, dns)
  const riders = uplink.riders.map(({ name }) => name)
  const files: Readonly<Record<Exclude<Manager, 'none'>, () => readonly PlannedFile[]>> = {
    netplan: () => netplanForm(wish, layer3, facts.netplan, token),
    networkd: () => networkdForm(wish, layer3),
    networkmanager: () => [...networkManagerForm(wish, layer3, token, riders), ...shared(root)],
  }
  return {
    manager,
    files: files[manager]().map((file) => placed(root, file)),
    letGo,
    takeBack,
    reload: facts.isRunning ? reloads(manager) : [],
    settled: facts.isRunning && manager !== 'networkmanager' ? [waitOnline(wish.bridge)] : [],
    rows: manager === 'networkmanager' ? networkManagerRows(wish, token) : [],
    steps,
    notes: [...notes, ...layer3.notes, ...cloudInit(manager, facts)],
  }
}

/** What was written for a bridge that is to be removed. */
export function persistedFor(asked: {
  readonly bridge: string
  readonly uplink: string
  readonly manager: string | undefined
  /** Who was told to leave the uplink alone. */
  readonly released: string | undefined
  readonly root: string
}): Persistence & { readonly steps: readonly Step[] } {
  const { bridge, uplink, root } = asked
  const facts = observeManagers(root, uplink, 0, '')
  const fixed = [...Object.values(networkdFiles(bridge, uplink)), ...networkManagerFiles(bridge, uplink)]
  const ours = fixed.flatMap((path): readonly PlannedFile[] => {
    const content = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : ''
    return isOurFile(content, bridge) ? [{ path, content, mode: 0o644 }] : []
  })
  const own = [...netplanWritten(facts.netplan, facts.netplanFolder, bridge), ...ours]
  const files = [...own, ...noLongerShared(root, own)].map((file) => placed(root, file))
  const isNm = asked.released === 'networkmanager' && facts.isRunning
  const found = MANAGERS.find((manager) => manager === asked.manager) ?? (isNm ? 'networkmanager' : undefined)
  return {
    manager: found ?? 'none',
    files,
    letGo: [],
    takeBack: isNm ? [{ ...nmcli(uplink, 'yes'), mayFail: true }] : [],
    reload: facts.isRunning && found !== undefined ? reloads(found).map((one) => ({ ...one, mayFail: true })) : [],
    settled: [],
    rows: [],
    steps: [],
  }
}

/** Names of persistent forms whose files are there for a bridge. */
export function formsThere(root: string, bridge: string, uplink: string): readonly Manager[] {
  const has = (paths: readonly string[]): boolean =>
    paths.some((path) => existsSync(join(root, path)) && isOurFile(readFileSync(join(root, path), 'utf8'), bridge))
  const netplan = globSync(`${root}/etc/netplan/*.yaml`).map((path) => `/etc/netplan/${path.split('/').at(-1) ?? ''}`)
  return [
    ...(has(netplan) ? (['netplan'] as const) : []),
    ...(has(networkManagerFiles(bridge, uplink)) ? (['networkmanager'] as const) : []),
    ...(has(Object.values(networkdFiles(bridge, uplink))) ? (['networkd'] as const) : []),
  ]
}

const MANAGERS = ['netplan', 'networkmanager', 'networkd'] as const

function chosen(
  persist: PersistChoice,
  facts: ManagerFacts,
  wish: Wish,
): { readonly manager: Manager; readonly notes: readonly string[] } {
  const asked = persist === 'auto' ? facts.manager : persist
  const lacksPlugin = asked === 'networkmanager' && !facts.hasOvsPlugin
  if (lacksPlugin && persist !== 'auto' && facts.isRunning) {
    const cause = 'this machine’s NetworkManager has no plugin for Open vSwitch, and could not make the bridge at start'
    throw new BridgeError('BRIDGE_PERSIST', cause, 'install NetworkManager-ovs, or use --persist none')
  }
  const manager = lacksPlugin && persist === 'auto' ? 'none' : asked
  const netdev =
    manager === 'netplan' && wish.datapathType === 'netdev'
      ? ['netplan has no word for the datapath in user space: it stays as long as the database of Open vSwitch does']
      : []
  const lost =
    manager === 'none' && wish.move
      ? [
          `nothing makes ${wish.bridge} ready at the next start, and ${wish.uplink} stays its port: have your own ` +
            `configuration give the addresses to ${wish.bridge} before, or \`weft bridge remove ${wish.bridge}\``,
        ]
      : []
  return { manager, notes: [...netdev, ...lost] }
}

/** systemd-resolved asks by link. */
function dnsSteps(dns: DnsFacts, uplink: string, bridge: string, isRunning: boolean): readonly Step[] {
  if (dns.from !== 'resolved' || !isRunning) return []
  const run = (...argv: readonly string[]): Change => ({ do: 'run', argv: ['resolvectl', ...argv], mayFail: true })
  return [
    {
      title: `have names looked up by ${bridge}`,
      changes: [
        run('dns', bridge, ...dns.servers),
        ...(dns.domains.length === 0 ? [] : [run('domain', bridge, ...dns.domains)]),
      ],
      undo: [
        run('dns', uplink, ...dns.servers),
        ...(dns.domains.length === 0 ? [] : [run('domain', uplink, ...dns.domains)]),
      ],
    },
  ]
}

function reloads(manager: Exclude<Manager, 'none'>): readonly (Change & { readonly do: 'run' })[] {
  const run = (...argv: readonly string[]) => ({ do: 'run', argv, mayFail: false }) as const
  switch (manager) {
    case 'netplan':
      return [run('netplan', 'generate'), run('networkctl', 'reload')]
    case 'networkd':
      return [run('networkctl', 'reload')]
    case 'networkmanager':
      // Connections are read at its next start: read now, they would make the bridge a second time.
      return [run('nmcli', 'general', 'reload', 'conf')]
  }
}

/** networkd reads its files, and then takes away and gives what they say: gateways are asked when it has. */
function waitOnline(bridge: string): Change {
  const program = '/lib/systemd/systemd-networkd-wait-online'
  return { do: 'run', argv: [program, '--interface', `${bridge}:carrier`, '--timeout', '8'], mayFail: true }
}

function nmcli(link: string, managed: 'yes' | 'no'): Change & { readonly do: 'run' } {
  return { do: 'run', argv: ['nmcli', 'device', 'set', link, 'managed', managed], mayFail: false }
}

/** cloud-init writes its file anew at start, unless it is told not to. */
function cloudInit(manager: Manager, { netplan }: ManagerFacts): readonly string[] {
  const found = manager === 'netplan' ? netplan.find(({ content }) => /cloud-init/.test(content)) : undefined
  if (found === undefined) return []
  const file = '/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg'
  return [`cloud-init writes ${found.path} anew at start unless ${file} says: network: {config: disabled}`]
}

/** What several bridges share is written by the first. */
function shared(root: string): readonly PlannedFile[] {
  return existsSync(join(root, UNMANAGED.path)) ? [] : [UNMANAGED]
}

/** It goes with the last that had it. */
function noLongerShared(root: string, going: readonly PlannedFile[]): readonly PlannedFile[] {
  const isOurs =
    existsSync(join(root, UNMANAGED.path)) && readFileSync(join(root, UNMANAGED.path), 'utf8') === UNMANAGED.content
  const users = globSync(`${root}/etc/NetworkManager/conf.d/weft_*.conf`).map((path) => path.split('/').at(-1))
  const leaving = going.map(({ path }) => path.split('/').at(-1))
  return isOurs && users.every((name) => leaving.includes(name)) ? [UNMANAGED] : []
}

/** A file below the folder that stands for `/`. */
function placed(root: string, file: PlannedFile): PlannedFile {
  const { path, backup } = file
  return { ...file, path: join(root, path), ...(backup === undefined ? {} : { backup: join(root, backup) }) }
}
