/**
 * What BIRD says of this node's sessions, as of a moment ago: its answers are kept, and when a session was last seen in
 * another state.
 * @module
 */

import type { ControlSocket } from '../../bird/control.ts'
import { type BirdProtocol, bfdSessions, birdProtocols, secondsSince } from '../../bird/protocols.ts'
import type { BgpSession } from '../../network/fabric/bgp/session.ts'
import { type Ip, parseIp } from '../../network/model/address.ts'
import type { BgpSessionFact } from '../control/facts.ts'

/** Before BIRD was asked. */
const UNKNOWN = 'not known yet'
const UP = 'Established'

/** In seconds: a session that is down for longer is a problem and no start. */
const LONG = 60
/** Sessions beyond are counted. */
const MANY = 3

/** Sessions that are down for long, as one sentence for people; undefined when none is. `now` in seconds since the epoch. */
export function longDown(facts: readonly BgpSessionFact[], now: number): string | undefined {
  const down = facts.filter(({ isUp, since }) => !isUp && now - since > LONG)
  if (down.length === 0) return undefined
  const each = down.slice(0, MANY).map(({ node, address, since, state, error }) => {
    const who = node === undefined ? address : `${node} (${address})`
    return `with ${who} for ${Math.floor((now - since) / 60)} min (${error ?? state})`
  })
  const more = down.length > MANY ? `, and ${down.length - MANY} more` : ''
  return `BGP sessions are down: ${each.join(', ')}${more}`
}

/** The state of sessions. */
export class SessionStates {
  readonly #clock: () => number
  #facts: readonly BgpSessionFact[] = []

  /** `clock` tells milliseconds since 1970. */
  constructor(clock: () => number = Date.now) {
    this.#clock = clock
  }

  /** In the order of their names. */
  get facts(): readonly BgpSessionFact[] {
    return this.#facts
  }

  /** Asks BIRD for these. One that BIRD does not have, or a BIRD that does not answer, leaves them down. */
  async look(control: ControlSocket, sessions: readonly BgpSession[]): Promise<readonly BgpSessionFact[]> {
    const protocols = await birdProtocols(control).catch((): readonly BirdProtocol[] => [])
    const byName = new Map(protocols.map((protocol) => [protocol.name, protocol]))
    const watched = sessions.some(({ bfd }) => bfd) ? await bfdSessions(control).catch(() => []) : []
    const answering = new Set(watched.filter(({ isUp }) => isUp).map(({ neighbour }) => parseIp(neighbour)))
    this.#facts = sessions.map((session) => this.#fact(session, byName.get(session.name), answering))
    return this.#facts
  }

  /** There are none. */
  forget(): void {
    this.#facts = []
  }

  #fact(
    session: BgpSession,
    protocol: BirdProtocol | undefined,
    answering: ReadonlySet<Ip | undefined>,
  ): BgpSessionFact {
    const { name, kind, family, node, peer, local, remote } = session
    const state = protocol === undefined ? UNKNOWN : (protocol.bgp?.state ?? '') || protocol.state
    const before = this.#facts.find((fact) => fact.name === name)
    const error = protocol?.bgp?.lastError
    const routes = protocol?.channels[0]?.routes
    return {
      name,
      kind,
      family,
      ...(node === undefined ? {} : { node }),
      ...(peer === undefined ? {} : { peer }),
      address: remote.address,
      asNumber: remote.asNumber,
      localAs: local.asNumber,
      state,
      isUp: state === UP,
      since: this.#since(protocol, before, state === UP),
      ...(error === undefined ? {} : { error }),
      ...(routes === undefined ? {} : { routes }),
      ...(session.bfd ? { bfd: answering.has(remote.address) ? ('up' as const) : ('down' as const) } : {}),
    }
  }

  /** Of one that is down the time when it came to be: BIRD counts anew with each try. */
  #since(protocol: BirdProtocol | undefined, before: BgpSessionFact | undefined, isUp: boolean): number {
    const now = this.#clock()
    const ago = protocol === undefined ? undefined : secondsSince(protocol.since, now)
    const changed = Math.floor(now / 1000) - (ago ?? 0)
    return before === undefined || before.isUp !== isUp || isUp ? changed : before.since
  }
}
