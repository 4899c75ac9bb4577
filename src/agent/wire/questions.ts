/**
 * What is asked on a wire before an address is used, and which frames answer. Pure; every frame is anybody's.
 * @module
 */
import { familyOf, type Ip, type Mac } from '../../network/model/address.ts'
import { arpProbe, arpQuestion, readArp, UNKNOWN_SENDER } from './arp.ts'
import { ETH_ARP, ETH_IPV6, isHostMac } from './ethernet.ts'
import {
  ALL_NODES,
  dadSolicitation,
  multicastMac,
  type Neighbour,
  readNeighbour,
  solicitation,
  solicitedNode,
  UNSPECIFIED,
} from './ndp.ts'

/** A frame to send, and how to hear its answer. */
export interface Question {
  readonly frame: Uint8Array
  readonly ethertype: number
  /** Groups that answers are sent to. */
  readonly groups: readonly Mac[]
  /** Whose answer a frame is; undefined when it is none. */
  readonly answerIn: (frame: Uint8Array) => Mac | undefined
}

/** Whether somebody has an address, or is about to take it. `nonce` (6 bytes) tells our own question from another's. */
export function conflictQuestion(mac: Mac, address: Ip, nonce: Uint8Array): Question {
  if (familyOf(address) === 4) {
    const answerIn = (frame: Uint8Array): Mac | undefined => arpConflict(frame, mac, address)
    return { frame: arpProbe(mac, address), ethertype: ETH_ARP, groups: [], answerIn }
  }
  const own = Buffer.from(nonce).toString('hex')
  return {
    frame: dadSolicitation(mac, address, nonce),
    ethertype: ETH_IPV6,
    groups: [multicastMac(ALL_NODES), multicastMac(solicitedNode(address))],
    answerIn: (frame) => neighbourConflict(readNeighbour(frame), { mac, address, nonce: own }),
  }
}

/** Who has a gateway's address; it learns who asks. Both are of one family. */
export function gatewayQuestion(mac: Mac, address: Ip, gateway: Ip): Question {
  if (familyOf(address) === 4) {
    const answerIn = (frame: Uint8Array): Mac | undefined => {
      const arp = readArp(frame)
      return arp?.sender === gateway && isHostMac(arp.senderMac) ? arp.senderMac : undefined
    }
    return { frame: arpQuestion(mac, address, gateway), ethertype: ETH_ARP, groups: [], answerIn }
  }
  const answerIn = (frame: Uint8Array): Mac | undefined => {
    const heard = readNeighbour(frame)
    return heard?.kind === 'advertisement' && heard.target === gateway && isHostMac(heard.mac) ? heard.mac : undefined
  }
  return { frame: solicitation(mac, address, gateway), ethertype: ETH_IPV6, groups: [], answerIn }
}

/**
 * RFC 5227 section 2.1.1: whoever sends in the address's name has it, whatever its MAC address; another that probes for it is
 * about to.
 */
function arpConflict(frame: Uint8Array, mac: Mac, address: Ip): Mac | undefined {
  const arp = readArp(frame)
  if (arp === undefined) return undefined
  if (arp.sender === address) return arp.senderMac
  const probes = arp.operation === 'request' && arp.sender === UNKNOWN_SENDER && arp.target === address
  return probes && arp.senderMac !== mac ? arp.senderMac : undefined
}

/** RFC 4862 sections 5.4.3 and 5.4.4, RFC 7527 section 4.2. */
function neighbourConflict(
  heard: Neighbour | undefined,
  own: { readonly mac: Mac; readonly address: Ip; readonly nonce: string },
): Mac | undefined {
  if (heard === undefined) return undefined
  if (heard.kind === 'advertisement') return heard.target === own.address ? heard.mac : undefined
  if (heard.source === own.address) return heard.mac
  if (heard.source !== UNSPECIFIED || heard.target !== own.address) return undefined
  const isOwn = heard.nonce === undefined ? heard.mac === own.mac : heard.nonce === own.nonce
  return isOwn ? undefined : heard.mac
}
