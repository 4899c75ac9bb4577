/**
 * Facts from /proc and /lib/modules.
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import type { HostFacts, ProcessFact, Read, UdpSocket } from '../facts.ts'
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
export function udpSockets(): Read<readonly UdpSocket[]> {
  return reading(() => {
    const tables = ['udp', 'udp6'].map((name) => quietly(() => readFileSync(`/proc/net/${name}`, 'utf8')) ?? '')
    const sockets = tables.flatMap(decodeUdpTable)
    return sockets.map(({ port, inode }) => ({ port, owner: inode === '0' ? undefined : ownerOf(inode) }))
  })
}

/** Lines of /proc/net/udp: port and inode; the kernel's own sockets have inode 0. */
export function decodeUdpTable(table: string): readonly { readonly port: number; readonly inode: string }[] {
  return table.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/)
    const port = /^[0-9A-F]+:([0-9A-F]{4})$/.exec(columns[1] ?? '')?.[1]
    const inode = columns[9]
    return port === undefined || inode === undefined ? [] : [{ port: Number.parseInt(port, 16), inode }]
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
