/**
 * A ping at a steady pace between two network namespaces, every reply accounted for.
 * @module
 */

import { internetChecksum } from '../../src/linux/checksum.ts'
import {
  AF_INET,
  AF_INET6,
  closeFd,
  encodeSockaddr,
  MSG_DONTWAIT,
  openSocket,
  SOCK_NONBLOCK,
  SOCK_RAW,
  setReceiveBuffer,
  systemCalls,
  watch,
} from '../../src/linux/index.ts'
import { familyOf, type Ip } from '../../src/network/model/address.ts'

const IPPROTO = { 4: 1, 6: 58 } as const

/** What has been sent and answered. */
export interface Tally {
  readonly sent: number
  readonly answered: number
  readonly lost: number
  /** The longest time between two answers, in milliseconds. */
  readonly gap: number
  /** The slowest answer, in milliseconds. */
  readonly worst: number
}

/** A ping that goes on until it is stopped. */
export interface Pinger {
  readonly answered: number
  /** Stops sending, waits a second for stragglers, closes. */
  stop(): Promise<Tally>
}

let nextId = process.pid & 0xffff

/** Pings an address from the namespace of a descriptor, every `interval` milliseconds. */
export function startPinger(netns: number, target: Ip, interval = 10): Pinger {
  const family = familyOf(target)
  const four = family === 4
  const fd = openSocket(four ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, IPPROTO[family], netns)
  setReceiveBuffer(fd, 1 << 20)
  systemCalls().connect(fd, encodeSockaddr({ family: four ? 'inet' : 'inet6', address: target, port: 0 }))
  nextId = (nextId + 1) & 0xffff
  const id = nextId
  const sentAt = new Map<number, number>()
  const buffer = new Uint8Array(2048)
  let [sent, answered, gap, worst, last] = [0, 0, 0, 0, performance.now()]

  const receive = (): void => {
    for (;;) {
      const n = systemCalls().recv(fd, buffer, MSG_DONTWAIT)
      if (n <= 0) return
      const message = four ? buffer.subarray(((buffer[0] ?? 0) & 15) * 4, n) : buffer.subarray(0, n)
      if (message[0] !== (four ? 0 : 129) || number16(message, 4) !== id) continue
      const sequence = number16(message, 6)
      const at = sentAt.get(sequence)
      // An answer that comes twice counts once.
      if (at === undefined) continue
      sentAt.delete(sequence)
      const now = performance.now()
      worst = Math.max(worst, now - at)
      gap = Math.max(gap, now - last)
      last = now
      answered += 1
    }
  }
  const registration = watch(fd, 'read', receive)
  const clock = setInterval(() => {
    const sequence = sent & 0xffff
    sentAt.set(sequence, performance.now())
    systemCalls().send(fd, echoRequest(four, id, sequence), MSG_DONTWAIT)
    sent += 1
  }, interval)

  return {
    get answered() {
      return answered
    },
    stop: async () => {
      clearInterval(clock)
      await Bun.sleep(1000)
      receive()
      registration.close()
      closeFd(fd)
      return { sent, answered, lost: sent - answered, gap, worst }
    },
  }
}

/** A tally in one line. */
export function describeTally({ sent, answered, lost, gap, worst }: Tally): string {
  return `${sent} sent, ${answered} answered, ${lost} lost; longest silence ${gap.toFixed(0)} ms, slowest answer ${worst.toFixed(0)} ms`
}

function echoRequest(four: boolean, id: number, sequence: number): Uint8Array {
  const message = new Uint8Array(64).fill(0x77)
  message.set([four ? 8 : 128, 0, 0, 0, id >> 8, id & 0xff, sequence >> 8, sequence & 0xff])
  if (!four) return message
  const sum = internetChecksum(message)
  message.set([sum >> 8, sum & 0xff], 2)
  return message
}

function number16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0)
}
