/**
 * Facts from /proc and /lib/modules.
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import type { HostFacts, PortSocket, ProcessFact, Read } from '../facts.ts'
import { reading } from './reading.ts'

/** Processes that can be seen from here. */
export function processes(): Read<readonly ProcessFact[]> {
  return reading(() =>
    readdirSync('/proc').flatMap((name) => {
      const comm = /^\d+$/.test(name) ? quietly(() => readFileSync(`/proc/${name}/comm`, 'utf8').trim()) : undefined
      return comm === undefined ? [] : [{ pid: Number(name), name: comm }]
    }),
  )
}

/** Modules that are loaded or built in, and those that could be loaded. */
export function modules(): HostFacts['modules'] {
  return reading(() => {
    // Built-in ones with parameters are listed too.
    const loaded = readdirSync('/sys/module')
    const folder = `/lib/modules/${release()}`
    const files = ['modules.builtin', 'modules.dep'].map((name) =>
      quietly(() => readFileSync(`${folder}/${name}`, 'utf8')),
    )
    const [builtin = '', known = ''] = files
    return { loaded: new Set([...loaded, ...moduleNames(builtin)]), known: new Set(moduleNames(known)) }
  })
}

/** UDP sockets with a port, and who has them. */
export function udpSockets(): Read<readonly PortSocket[]> {
  return reading(() => socketsIn(['udp', 'udp6']).map(withOwner))
}

/** TCP sockets that listen below 1024, and who has them: looking for the holders of all would take its time. */
export function tcpListeners(): Read<readonly PortSocket[]> {
  return reading(() =>
    socketsIn(['tcp', 'tcp6'])
      .filter(({ port, state }) => state === LISTENS && port < 1024)
      .map(withOwner),
  )
}

/** TCP_LISTEN of linux/tcp_states.h, as the kernel's tables write it. */
const LISTENS = '0A'

interface SocketRow {
  readonly port: number
  readonly state: string
  readonly inode: string
}

function socketsIn(names: readonly string[]): readonly SocketRow[] {
  return names.flatMap((name) => decodeSocketTable(quietly(() => readFileSync(`/proc/net/${name}`, 'utf8')) ?? ''))
}

function withOwner({ port, inode }: SocketRow): PortSocket {
  return { port, owner: inode === '0' ? undefined : ownerOf(inode) }
}

/** Lines of /proc/net/udp and its like: port, state and inode; the kernel's own sockets have inode 0. */
export function decodeSocketTable(table: string): readonly SocketRow[] {
  return table.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/)
    const port = /^[0-9A-F]+:([0-9A-F]{4})$/.exec(columns[1] ?? '')?.[1]
    const [state, inode] = [columns[3], columns[9]]
    return port === undefined || state === undefined || inode === undefined
      ? []
      : [{ port: Number.parseInt(port, 16), state, inode }]
  })
}

/** Of a socket with a port that matters only a few are asked for: looking through all descriptors takes its time. */
function ownerOf(inode: string): ProcessFact | 'unknown' {
  const name = `socket:[${inode}]`
  const found = processesQuietly().find(({ pid }) =>
    (quietly(() => readdirSync(`/proc/${pid}/fd`)) ?? []).some(
      (fd) => quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === name,
    ),
  )
  return found ?? 'unknown'
}

function processesQuietly(): readonly ProcessFact[] {
  const read = processes()
  return read.ok ? read.value : []
}

function moduleNames(list: string): readonly string[] {
  return list.split('\n').map((line) => (/([^/:]+?)\.ko(\.\w+)?(:|$)/.exec(line)?.[1] ?? '').replaceAll('-', '_'))
}

/** What goes away while one looks is not there. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
