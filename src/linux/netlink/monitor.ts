/**
 * Notifications about links, addresses, routes, neighbours, rules and qdiscs of a namespace. When the kernel had to drop some,
 * it says so once, and the monitor tells `resync`: list everything again; what comes after it is newer than the loss.
 * @module
 */
import { checked, Errno, systemError } from '../errno.ts'
import { watch } from '../poller.ts'
import { AF_NETLINK, encodeSockaddr } from '../sockaddr.ts'
import { closeFd, MSG_DONTWAIT, MSG_TRUNC, openSocket, SOCK_RAW, setOption, setReceiveBuffer } from '../socket.ts'
import { systemCalls } from '../sys/addon.ts'
import { type Address, decodeAddress } from './address.ts'
import * as c from './constants.ts'
import { decodeLink, type Link } from './link.ts'
import { decodeNeighbour, type Neighbour } from './neighbour.ts'
import { decodeQdiscMessage, type Qdisc } from './qdisc.ts'
import { type NetlinkMessage, readMessages } from './reader.ts'
import { decodeRoute, type Route } from './route-decode.ts'
import { decodeRule, type Rule } from './rule.ts'

export type MonitorTopic = 'link' | 'address' | 'route' | 'neighbour' | 'rule' | 'qdisc'

/** What changed: `new` is added or changed, `del` removed. */
export type MonitorEvent =
  | { readonly topic: 'link'; readonly change: 'new' | 'del'; readonly object: Link }
  | { readonly topic: 'address'; readonly change: 'new' | 'del'; readonly object: Address }
  | { readonly topic: 'route'; readonly change: 'new' | 'del'; readonly object: Route }
  | { readonly topic: 'neighbour'; readonly change: 'new' | 'del'; readonly object: Neighbour }
  | { readonly topic: 'rule'; readonly change: 'new' | 'del'; readonly object: Rule }
  | { readonly topic: 'qdisc'; readonly change: 'new' | 'del'; readonly object: Qdisc }

export interface MonitorOptions {
  readonly topics: readonly MonitorTopic[]
  readonly onEvent: (event: MonitorEvent) => void
  /** Notifications were lost. The socket goes on: list again. */
  readonly onResync: () => void
  readonly nsFd?: number
  /** Bytes the kernel may queue (default 4 MiB: about 4,000 link events). */
  readonly receiveBuffer?: number
  /** Keep the program alive (default true). */
  readonly hold?: boolean
}

/** Subscribes; list the objects afterwards, so that no change falls between. */
export function openMonitor(options: MonitorOptions): { close(): void } {
  const fd = subscribe(options)
  const registration = watch(fd, 'read', () => drain(fd, options), { hold: options.hold ?? true })
  let open = true
  return {
    close: () => {
      if (!open) return
      open = false
      registration.close()
      closeFd(fd)
    },
  }
}

/** The event of a notification; undefined for a type that is none. Throws LINUX_MALFORMED. */
export function decodeNotification(message: NetlinkMessage): MonitorEvent | undefined {
  switch (message.type) {
    case c.RTM_NEWLINK:
    case c.RTM_DELLINK:
      return { topic: 'link', change: changeOf(message), object: decodeLink(message.body) }
    case c.RTM_NEWADDR:
    case c.RTM_DELADDR:
      return { topic: 'address', change: changeOf(message), object: decodeAddress(message.body) }
    case c.RTM_NEWROUTE:
    case c.RTM_DELROUTE:
      return { topic: 'route', change: changeOf(message), object: decodeRoute(message.body) }
    case c.RTM_NEWNEIGH:
    case c.RTM_DELNEIGH:
      return { topic: 'neighbour', change: changeOf(message), object: decodeNeighbour(message.body) }
    case c.RTM_NEWRULE:
    case c.RTM_DELRULE:
      return { topic: 'rule', change: changeOf(message), object: decodeRule(message.body) }
    case c.RTM_NEWQDISC:
    case c.RTM_DELQDISC:
      return { topic: 'qdisc', change: changeOf(message), object: decodeQdiscMessage(message.body) }
    default:
      return undefined
  }
}

/** RTNLGRP_ numbers of both families. */
const groups: Readonly<Record<MonitorTopic, readonly number[]>> = {
  link: [1],
  neighbour: [3],
  address: [5, 9],
  route: [7, 11],
  rule: [8, 19],
  qdisc: [4],
}

// Datagrams handled before other work of the event loop gets its turn.
const BATCH = 256
const buffer = new Uint8Array(1 << 16)

function subscribe(options: MonitorOptions): number {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, c.NETLINK_ROUTE, options.nsFd)
  try {
    setReceiveBuffer(fd, options.receiveBuffer ?? 4 << 20)
    checked(systemCalls().bind(fd, encodeSockaddr({ family: 'netlink', pid: 0, groups: 0 })), 'bind', 'rtnetlink')
    for (const group of options.topics.flatMap((topic) => groups[topic])) {
      setOption(fd, c.SOL_NETLINK, c.NETLINK_ADD_MEMBERSHIP, group)
    }
    return fd
  } catch (error) {
    closeFd(fd)
    throw error
  }
}

function drain(fd: number, options: MonitorOptions): void {
  const events: MonitorEvent[] = []
  let lost = false
  for (let count = 0; count < BATCH; count++) {
    const n = systemCalls().recv(fd, buffer, MSG_DONTWAIT | MSG_TRUNC)
    if (n === -Errno.EAGAIN) break
    if (n === -Errno.EINTR) continue
    if (n < 0 && n !== -Errno.ENOBUFS) throw systemError(-n, 'recv', 'rtnetlink notifications')
    if (n < 0 || n > buffer.length || !collect(buffer.slice(0, n), events)) lost = true
  }
  if (lost) options.onResync()
  else for (const event of events) options.onEvent(event)
}

/** False when the bytes do not decode: what they told is lost, as if the kernel had dropped them. */
function collect(datagram: Uint8Array, into: MonitorEvent[]): boolean {
  try {
    for (const message of readMessages(datagram)) {
      const event = decodeNotification(message)
      if (event !== undefined) into.push(event)
    }
    return true
  } catch {
    return false
  }
}

/** RTM_NEW types are 0 modulo 4, RTM_DEL types 1. */
function changeOf(message: NetlinkMessage): 'new' | 'del' {
  return message.type % 4 === 0 ? 'new' : 'del'
}
