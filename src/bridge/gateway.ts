/**
 * Asks gateways for their link-layer address, with frames on the wire: what the kernel remembers is no answer.
 * @module
 */
import { arpQuestion, readArp } from '../agent/wire/arp.ts'
import { readNeighbour, solicitation } from '../agent/wire/ndp.ts'
import {
  addrList,
  linkGet,
  maskPrefix,
  openPacketSocket,
  parseIp,
  parsePrefix,
  type RtnlSocket,
} from '../linux/index.ts'
import { type Ip, ip, type Mac, parseMac } from '../network/model/address.ts'
import type { Gateway } from './model.ts'

export interface AskOptions {
  /** The link on which it is asked, by name. */
  readonly link: string
  /** Until when it may answer, in milliseconds. */
  readonly timeoutMs: number
  /** Called before each question. */
  readonly onAsk?: () => void
}

/** How often it is asked. */
const EVERY_MS = 1000

/** Asks every second; resolves to those that did not answer. Throws what the link throws. */
export async function silentGateways(
  rtnl: RtnlSocket,
  gateways: readonly Gateway[],
  options: AskOptions,
): Promise<readonly Gateway[]> {
  const answered = await Promise.all(gateways.map((gateway) => answers(rtnl, gateway, options)))
  return gateways.filter((_, index) => answered[index] !== true)
}

async function answers(rtnl: RtnlSocket, gateway: Gateway, options: AskOptions): Promise<boolean> {
  const { link, timeoutMs, onAsk } = options
  const { index, mac } = linkGet(rtnl, link)
  const own = parseMac(mac ?? '')
  if (own === undefined) return false
  const target = ip(gateway.address)
  const outcome = Promise.withResolvers<boolean>()
  const socket = openPacketSocket({
    link: index,
    onFrame: ({ bytes, outgoing }) => {
      if (!outgoing && isAnswer(gateway, target, bytes)) outcome.resolve(true)
    },
  })
  const ask = (): void => {
    onAsk?.()
    try {
      socket.send(question(rtnl, index, own, gateway, target))
    } catch (error) {
      outcome.reject(error)
    }
  }
  const clock = setInterval(ask, EVERY_MS)
  const timer = setTimeout(() => outcome.resolve(false), timeoutMs)
  ask()
  return outcome.promise.finally(() => {
    clearInterval(clock)
    clearTimeout(timer)
    socket.close()
  })
}

function question(rtnl: RtnlSocket, link: number, own: Mac, gateway: Gateway, target: Ip): Uint8Array {
  const source = sourceFor(rtnl, link, gateway)
  return gateway.family === 4 ? arpQuestion(own, source, target) : solicitation(own, source, target)
}

function isAnswer({ family }: Gateway, target: Ip, frame: Uint8Array): boolean {
  if (family === 4) {
    const arp = readArp(frame)
    return arp?.operation === 'reply' && arp.sender === target
  }
  const neighbour = readNeighbour(frame)
  return neighbour?.kind === 'advertisement' && neighbour.target === target
}

/** An address of the link in the gateway's network, else of its family, else the unspecified one. */
function sourceFor(rtnl: RtnlSocket, link: number, { address, family }: Gateway): Ip {
  const held = addrList(rtnl, { link, family }).filter(({ tentative }) => !tentative)
  const target = parseIp(address)
  const near = held.find(({ address: own }) => {
    const prefix = parsePrefix(own)
    const network = maskPrefix(prefix)
    return maskPrefix({ bytes: target, length: prefix.length }).every((byte, i) => byte === network[i])
  })
  const [source] = (near ?? held[0])?.address.split('/') ?? []
  return ip(source ?? (family === 4 ? '0.0.0.0' : '::'))
}
