/**
 * A question to one DNS server and its answer: by UDP, and by TCP when that is cut. Each question has a socket of its own,
 * so the kernel chooses a port at random; with the random id that is what somebody who forges answers has to guess.
 * @module
 */
import { randomInt } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { framed, joined, split } from '../../dns/frames.ts'
import type { Message } from '../../dns/message.ts'
import { type AddressType, type Answer, answerIn, answers, question } from './question.ts'

/** Where a server is. */
export interface NameServer {
  readonly address: string
  readonly port: number
}

/** What is asked of a server. */
export interface Asked {
  readonly name: string
  readonly type: AddressType
}

/** How long a server has for one answer by one transport, in milliseconds. */
export interface Patience {
  readonly udp: number
  readonly tcp: number
}

/** As the C library's resolver has it, about. */
export const PATIENCE: Patience = { udp: 2_000, tcp: 4_000 }

/** Datagrams to a question that do not answer it, before the question is given up: somebody is guessing. */
const MOST_STRANGERS = 64

/** Asks. Never rejects: whatever happens to a question is an answer, or a failure in words. */
export async function ask(server: NameServer, asked: Asked, patience: Patience = PATIENCE): Promise<Answer> {
  try {
    const { name, type } = asked
    const once = await byUdp(server, question(randomInt(0x10000), name, type), patience.udp)
    const first = answerIn(once, name, type)
    if (first.type !== 'truncated') return first
    const again = answerIn(await byTcp(server, question(randomInt(0x10000), name, type), patience.tcp), name, type)
    return again.type === 'truncated' ? { type: 'failure', reason: 'an answer cut short by TCP' } : again
  } catch (error) {
    return { type: 'failure', reason: reasonOf(error) }
  }
}

async function byUdp({ address, port }: NameServer, asked: Message, patience: number): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>()
  let strangers = 0
  const hostname = isIPv6(address) ? '::' : '0.0.0.0'
  // Connected: the kernel takes datagrams of this server only, and tells when nobody listens there.
  const socket = await Bun.udpSocket({
    hostname,
    port: 0,
    connect: { hostname: address, port },
    socket: {
      data: (_, bytes) => {
        const message = decodeMessage(bytes)
        if (message !== undefined && answers(message, asked)) resolve(message)
        else if (++strangers > MOST_STRANGERS) reject(new Error('too many datagrams that do not answer it'))
      },
      // Bun's types put the socket before the error; 1.4 gives the error alone.
      error: (...told: readonly unknown[]) => reject(told.find((one) => one instanceof Error)),
    },
  })
  const timer = setTimeout(() => reject(new Error('no answer')), patience)
  try {
    socket.send(encodeMessage(asked))
    return await promise
  } finally {
    clearTimeout(timer)
    socket.close()
  }
}

async function byTcp({ address, port }: NameServer, asked: Message, patience: number): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>()
  let received: Uint8Array = new Uint8Array(0)
  let socket: { terminate(): void } | undefined
  let isOver = false
  const timer = setTimeout(() => reject(new Error('no answer by TCP')), patience)
  Bun.connect({
    hostname: address,
    port,
    socket: {
      open: (opened) => {
        socket = opened
        // One that came too late.
        if (isOver) opened.terminate()
        else opened.write(framed(encodeMessage(asked)))
      },
      data: (_, bytes) => {
        // One message is at most 64 KiB, and the first has to be the answer.
        received = joined(received, bytes)
        const [first] = split(received).messages
        if (first === undefined) return
        const message = decodeMessage(first)
        if (message !== undefined && answers(message, asked)) resolve(message)
        else reject(new Error('no answer to what was asked by TCP'))
      },
      close: () => reject(new Error('the server closed the connection')),
      error: (_, error) => reject(error),
      connectError: (_, error) => reject(error),
    },
  }).catch(reject)
  try {
    return await promise
  } finally {
    isOver = true
    clearTimeout(timer)
    socket?.terminate()
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it could not be asked'
}
