/**
 * Calls to the playground's servers, which say who they are and whom they see.
 * @module
 */
import {
  AF_INET,
  AF_INET6,
  closeFd,
  encodeSockaddr,
  MSG_DONTWAIT,
  netnsOpen,
  openSocket,
  ready,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  systemCalls,
} from '../../src/linux/index.ts'
import { familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import { firstLine } from '../../src/playground/probe.ts'

/** Who answered, and the client's address as that server saw it. */
export interface Answer {
  readonly server: string
  readonly client: Ip
}

const PATIENCE = { pings: 1, interval: 100, tcp: 3000 }
/** A connection that must not be comes to nothing within this time. */
const REFUSAL = { pings: 1, interval: 100, tcp: 700 }

/** Calls an address once over TCP from a network namespace, named by its path; undefined without an answer. */
export async function call(
  netns: string,
  address: Ip,
  port: number,
  expected: 'answer' | 'none' = 'answer',
): Promise<Answer | undefined> {
  const fd = netnsOpen(netns)
  try {
    return parse(await firstLine(fd, address, port, expected === 'answer' ? PATIENCE : REFUSAL))
  } finally {
    closeFd(fd)
  }
}

/** Calls so many times, one after the other. */
export async function callTimes(netns: string, address: Ip, port: number, times: number): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < times; i += 1) {
    const answer = await call(netns, address, port)
    if (answer === undefined) throw new Error(`${address} port ${port}: no answer to call ${i + 1}`)
    answers.push(answer)
  }
  return answers
}

/** Asks by datagrams, always from the same port. */
export class UdpCaller {
  readonly #fd: number

  /** A caller in a network namespace named by its path. */
  constructor(netns: string, address: Ip, port: number) {
    const ns = netnsOpen(netns)
    const four = familyOf(address) === 4
    try {
      this.#fd = openSocket(four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0, ns)
    } finally {
      closeFd(ns)
    }
    systemCalls().connect(this.#fd, encodeSockaddr({ family: four ? 'inet' : 'inet6', address, port }))
  }

  /** Sends a datagram of so many bytes and waits for the answer; undefined when none comes. */
  async ask(bytes: number, patience = 1500): Promise<(Answer & { readonly bytes: number }) | undefined> {
    systemCalls().send(this.#fd, new Uint8Array(bytes).fill(0x77), MSG_DONTWAIT)
    const buffer = new Uint8Array(65_536)
    try {
      await ready(this.#fd, 'read', patience)
    } catch {
      return undefined
    }
    const length = systemCalls().recv(this.#fd, buffer, MSG_DONTWAIT)
    if (length < 0) return undefined
    const text = new TextDecoder('latin1').decode(buffer.subarray(0, length))
    const [line = ''] = text.split('\n', 1)
    const answer = parse(line)
    return answer === undefined ? undefined : { ...answer, bytes: length - line.length - 1 }
  }

  close(): void {
    closeFd(this.#fd)
  }
}

/** What a load of calls came to. */
export interface Load {
  readonly answers: ReadonlyMap<string, number>
  readonly failures: number
  /** Stops it and waits for calls under way. */
  stop(): Promise<void>
}

/** Calls again and again, so many at a time, until stopped. */
export function callSteadily(netns: string, address: Ip, port: number, atOnce: number): Load {
  const answers = new Map<string, number>()
  const state = { failures: 0, stopped: false }
  const fd = netnsOpen(netns)
  const worker = async (): Promise<void> => {
    while (!state.stopped) {
      const answer = parse(await firstLine(fd, address, port, PATIENCE))
      if (answer === undefined) state.failures += 1
      else answers.set(answer.server, (answers.get(answer.server) ?? 0) + 1)
      // Others want the processor as well.
      await Bun.sleep(5)
    }
  }
  const workers = Array.from({ length: atOnce }, worker)
  return {
    answers,
    get failures() {
      return state.failures
    },
    stop: async () => {
      state.stopped = true
      await Promise.all(workers)
      closeFd(fd)
    },
  }
}

/** `shop/web 10.128.0.2 port=…` */
function parse(line: string | undefined): Answer | undefined {
  const [server, client] = line?.split(' ') ?? []
  return server === undefined || client === undefined ? undefined : { server, client: ip(client) }
}
