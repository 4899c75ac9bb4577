/**
 * Asks the wire, before an address is used, whether somebody else has it, and then whether its gateway is there.
 * @module
 */
import { getRandomValues } from 'node:crypto'
import { cniError } from '../../cni/index.ts'
import { linkFind, openPacketSocket, openRtnl } from '../../linux/index.ts'
import { familyOf, type Ip, type Mac, parseMac } from '../../network/model/address.ts'
import { NO_MAC } from './ethernet.ts'
import { NONCE_BYTES } from './ndp.ts'
import { PACE, type Pace } from './pace.ts'
import { conflictQuestion, gatewayQuestion, type Question } from './questions.ts'

/** An address that an interface is about to have. The interface is up and has it not. */
export interface WireCheck {
  /** The pod's namespace. */
  readonly nsFd: number
  readonly ifname: string
  /** Whose questions they are. Default: the interface's own. */
  readonly mac?: Mac
  readonly address: Ip
  readonly gateway?: Ip
  readonly findsConflicts: boolean
  readonly findsGateway: boolean
  readonly signal: AbortSignal
}

/**
 * Asks for the address first: asking for the gateway tells everybody whose the address is. Three times each, as RFC 5227
 * has it, with gaps of a tenth of a second instead of one to two seconds, as a pod waits: half a second where nobody answers,
 * and about one with a gateway that is not there. Addresses can be asked for at the same time.
 *
 * Throws `address-conflict` with the other's MAC address, `gateway-unreachable`, `link-failed` where the interface carries
 * nothing, and the signal's reason.
 */
export async function checkWire(check: WireCheck, pace: Pace = PACE): Promise<void> {
  const { address, ifname } = check
  const gateway = check.findsGateway ? check.gateway : undefined
  if (!check.findsConflicts && gateway === undefined) return
  const wire = await carryingLink(check, pace)
  if (check.findsConflicts) {
    const nonce = getRandomValues(new Uint8Array(NONCE_BYTES))
    const mac = await ask(wire, conflictQuestion(wire.mac, address, nonce), check, pace)
    if (mac !== undefined) throw cniError('address-conflict', { address, ifname, mac })
  }
  if (gateway === undefined) return
  const isNear = familyOf(gateway) === familyOf(address)
  const found = isNear ? await ask(wire, gatewayQuestion(wire.mac, address, gateway), check, pace) : undefined
  if (found === undefined) throw cniError('gateway-unreachable', { address, ifname, gateway })
}

/** A question is sent before each gap; answers are waited for until the last is over. */
const GAPS_MS = [100, 100, 200] as const
/** What chance adds to a gap at most: pods that start together do not ask in step. */
const SPREAD_MS = 50
/** A link that has just been set up carries nothing for a moment, and loses what is sent. */
const CARRIER_STEPS = 50
const CARRIER_STEP_MS = 5
const OPERSTATE_UNKNOWN = 0
const OPERSTATE_UP = 6

interface Wire {
  readonly link: number
  readonly nsFd: number
  readonly mac: Mac
}

async function carryingLink({ nsFd, ifname, mac: asked, signal }: WireCheck, pace: Pace): Promise<Wire> {
  using rtnl = openRtnl({ nsFd })
  for (let step = 0; step < CARRIER_STEPS; step += 1) {
    signal.throwIfAborted()
    const link = linkFind(rtnl, ifname)
    if (link === undefined) throw cniError('link-failed', { ifname, reason: 'it is not in the container' })
    const { up, lowerUp, operState } = link
    if (up && lowerUp && (operState === OPERSTATE_UP || operState === OPERSTATE_UNKNOWN))
      return { link: link.index, nsFd, mac: asked ?? parseMac(link.mac ?? '') ?? NO_MAC }
    await pace.wait(CARRIER_STEP_MS, signal)
  }
  throw cniError('link-failed', { ifname, reason: 'it carries nothing: it or its other end is down' })
}

/** The MAC address of the first that answers; undefined when nobody does. */
async function ask(
  { link, nsFd, mac }: Wire,
  { frame, ethertype, groups, answerIn }: Question,
  { signal }: WireCheck,
  pace: Pace,
): Promise<Mac | undefined> {
  const answer = Promise.withResolvers<Mac>()
  const onFrame = (heard: { readonly bytes: Uint8Array; readonly outgoing: boolean; readonly forOthers: boolean }) => {
    // Tagged frames of other VLANs count as for others.
    if (heard.outgoing || (heard.forOthers && !isTo(heard.bytes, mac))) return
    const from = answerIn(heard.bytes)
    if (from !== undefined) answer.resolve(from)
  }
  const socket = openPacketSocket({ link, nsFd, protocol: ethertype, groups, onFrame })
  try {
    for (const gap of GAPS_MS) {
      socket.send(frame)
      const from = await Promise.race([answer.promise, pace.wait(gap + SPREAD_MS * pace.random(), signal)])
      if (from !== undefined) return from
    }
    return undefined
  } finally {
    socket.close()
  }
}

function isTo(frame: Uint8Array, mac: Mac): boolean {
  return Buffer.from(frame.subarray(0, 6)).toString('hex') === mac.replaceAll(':', '')
}
