/**
 * Sends packets through both switches by the hundred, and tells which arrived where they should.
 * @module
 */
import type { Ip } from '../../src/network/model/address.ts'
import { marker, markerNumber } from './markers.ts'
import { bytesOf, frameOf, type Hop, type Part, type Probe, readFrame, type Seen } from './probe.ts'
import type { End, Wire } from './wire.ts'

/** A packet with where it goes in and where it is to come out. */
export interface Shipment {
  readonly probe: Probe
  readonly part: Part
  readonly hop: Hop
  readonly from: End
  readonly to: End
}

/** What came of shipments. */
export interface Delivery {
  /** Whether it arrived, one for each. */
  readonly arrived: readonly boolean[]
  /** What arrived otherwise: elsewhere, twice, or changed. */
  readonly strays: readonly string[]
}

/** A node's end that markers for the other node are sent on, and where they come out. */
export interface Crossing {
  readonly from: End
  readonly to: End
}

/** A packet that passes whatever the policies say, and where it comes out. */
interface Marker extends Crossing {
  readonly way: 'back' | 'across'
}

/** As many as a switch's packet sockets hold without loss: the kernel's default buffer takes about 250 small frames. */
const WINDOW = 160
/** Markers that do not come back within this time are sent again, so often. */
const PATIENCE_MS = 500
const ATTEMPTS = 10
/** First the sender's switch, then the other; which takes up to 32 packets at once and may swap those: so twice. */
const ROUNDS = 3
/** Numbers of probes in flight: ports that nobody serves. */
const MAX_NUMBER = 0xffff

/** Ships packets over a wire. */
export class Shipping {
  readonly #wire: Wire
  readonly #crossings: readonly Crossing[]
  #markers = 0

  constructor(wire: Wire, crossings: readonly Crossing[]) {
    this.#wire = wire
    this.#crossings = crossings
  }

  /** Ships these; their numbers must be different. Throws when a switch no longer forwards at all. */
  async ship(shipments: readonly Shipment[]): Promise<Delivery> {
    const arrivals = new Arrivals(shipments)
    for (let at = 0; at < shipments.length; at += WINDOW) {
      const burst = shipments.slice(at, at + WINDOW)
      for (const { probe, part, hop, from } of burst) this.#wire.send(from, frameOf(probe, hop, part))
      await this.#flush(new Set(burst.map(({ from }) => from)), arrivals)
    }
    return arrivals.delivery()
  }

  /** Resolves when everything that was sent on these ends has gone through both switches. */
  async #flush(ends: ReadonlySet<End>, arrivals: Arrivals): Promise<void> {
    for (let round = 0; round < ROUNDS; round += 1) {
      // Behind what was sent before on the same end; then behind what its switch sent to the other.
      const back = [...(round === 0 ? ends : [])].map((end): Marker => ({ way: 'back', from: end, to: end }))
      const across = (round === 0 ? [] : this.#crossings).map((crossing): Marker => ({ way: 'across', ...crossing }))
      const missing = new Map([...back, ...across].map((one) => [this.#nextMarker(), one]))
      await this.#collect(missing, arrivals)
    }
  }

  #nextMarker(): number {
    this.#markers += 1
    return this.#markers
  }

  /** Sends markers until each has come back: a busy machine loses some. */
  async #collect(missing: Map<number, Marker>, arrivals: Arrivals): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      for (const [number, { way, from }] of missing) this.#wire.send(from, marker(way, number))
      const end = performance.now() + PATIENCE_MS
      while (performance.now() < end) {
        this.#wire.drain((at, frame) => {
          const number = markerNumber(frame)
          if (number === undefined) arrivals.take(at, frame)
          else if (missing.get(number)?.to === at) missing.delete(number)
        })
        if (missing.size === 0) return
        await this.#wire.arrives(50)
      }
    }
    throw new Error(`${missing.size} markers never came back: a switch does not forward`)
  }
}

/** What arrived of some shipments. */
class Arrivals {
  readonly #shipments: readonly Shipment[]
  readonly #byNumber = new Map<number, number>()
  readonly #arrived: boolean[]
  readonly #strays: string[] = []

  constructor(shipments: readonly Shipment[]) {
    this.#shipments = shipments
    this.#arrived = shipments.map(() => false)
    for (const [i, { probe }] of shipments.entries()) this.#byNumber.set(probe.number, i)
    if (this.#byNumber.size < shipments.length) throw new Error('two shipments have the same number')
  }

  take(end: End, frame: Uint8Array): void {
    const seen = readFrame(frame)
    if (seen === undefined) return
    const index = this.#byNumber.get(seen.number)
    const shipment = index === undefined ? undefined : this.#shipments[index]
    if (index === undefined || shipment === undefined) this.#strays.push(`at ${end}: nobody sent ${describe(seen)}`)
    else if (shipment.to !== end) this.#strays.push(`at ${end} instead of ${shipment.to}: ${describe(seen)}`)
    else if (this.#arrived[index] === true) this.#strays.push(`twice: ${describe(seen)}`)
    else if (!isOf(seen, shipment)) this.#strays.push(`changed on its way: ${describe(seen)}`)
    else this.#arrived[index] = true
  }

  delivery(): Delivery {
    return { arrived: this.#arrived, strays: this.#strays }
  }
}

function isOf(seen: Seen, { probe, part }: Shipment): boolean {
  const [source, destination] =
    part === 'answer' ? [probe.destination, probe.source] : [probe.source, probe.destination]
  return (
    seen.part === part &&
    seen.protocol === probe.protocol &&
    seen.port === probe.port &&
    same(seen.source, source) &&
    same(seen.destination, destination)
  )
}

function same(bytes: Uint8Array, address: Ip): boolean {
  const expected = bytesOf(address)
  return bytes.length === expected.length && expected.every((byte, i) => byte === bytes[i])
}

function describe({ protocol, part, number, port, source, destination }: Seen): string {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  return `${part} ${protocol} ${text(source)} to ${text(destination)}, number ${number}, port ${port}`
}

/** Numbers for shipments, each different from the last fifty thousand. */
export class Numbers {
  #next = 10_000

  take(): number {
    this.#next = this.#next >= MAX_NUMBER ? 10_000 : this.#next + 1
    return this.#next
  }
}
