import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { FlowError } from '../../flow/errors.ts'
import type { Flow } from '../../flow/flow.ts'
import { createSplitter } from './channel.ts'
import { decodeActions, decodeInstructions } from './decode-actions.ts'
import { encodeInstructions } from './encode-actions.ts'
import { OpenFlowError } from './errors.ts'
import { type DumpedFlow, decodeFlowStats } from './flow-stats.ts'
import { encodeGroupMod } from './group-mod.ts'
import { decodeGroupDesc, decodeGroupStats } from './group-stats.ts'
import { encodeHello, negotiate } from './hello.ts'
import { decodeMeterConfig, decodeMeterStats } from './meters.ts'
import { decodeFields, decodeMatch, encodeMatch } from './oxm.ts'
import { decodePacketIn2 } from './packet-in.ts'
import { decodePortDescs, decodePortStatus } from './port-desc.ts'
import { Reader } from './reader.ts'
import { decodeConfig, decodeTableStats } from './settings.ts'
import { FLOWS } from './testing/flow-table.ts'
import { Writer } from './writer.ts'

/** Every decoder that bytes of a peer reach. */
const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  match: (bytes) => decodeMatch(new Reader(bytes)),
  fields: (bytes) => decodeFields(new Reader(bytes)),
  actions: (bytes) => decodeActions(new Reader(bytes)),
  instructions: (bytes) => decodeInstructions(new Reader(bytes)),
  'flow stats 1.3': (bytes) => decodeFlowStats(bytes, 0, 4, []),
  'flow stats 1.5': (bytes) => decodeFlowStats(bytes, 0, 6, []),
  'groups 1.3': (bytes) => decodeGroupDesc(bytes, 0, 4, []),
  'groups 1.5': (bytes) => decodeGroupDesc(bytes, 0, 6, []),
  'group stats': (bytes) => decodeGroupStats(bytes, 0, []),
  meters: (bytes) => decodeMeterConfig(bytes, 0, []),
  'meter stats': (bytes) => decodeMeterStats(bytes, 0, []),
  'ports 1.3': (bytes) => decodePortDescs(bytes, 0, 4, []),
  'ports 1.5': (bytes) => decodePortDescs(bytes, 0, 6, []),
  'port status': (bytes) => decodePortStatus(bytes, 6),
  tables: (bytes) => decodeTableStats(bytes, 0, []),
  config: (bytes) => decodeConfig(bytes),
  'packet in': (bytes) => decodePacketIn2(bytes),
  hello: (bytes) => (bytes.length >= 8 ? negotiate(bytes) : undefined),
  frames: (bytes) => createSplitter(() => undefined)(bytes),
}

/** What a decoder may do with garbage: a value, or an error with a stable code. */
function decodeSafely(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    decode(bytes)
  } catch (cause) {
    if (!(cause instanceof OpenFlowError || cause instanceof FlowError)) throw cause
    expect(cause.code).toMatch(/^(OPENFLOW|FLOW)_[A-Z_]+$/)
  }
}

/** A flow entry of OpenFlow 1.5 as a switch sends it. */
function flowEntry({ table, priority, cookie, match, actions }: Flow): Uint8Array {
  const w = new Writer()
  w.u16(0).u16(0).u8(table).u8(0).u16(priority).zeros(8).u64(cookie)
  encodeMatch(w, match)
  w.u16(0).u16(16).u32(0x80020008).u32(5).u32(0)
  encodeInstructions(w, actions, 6)
  w.setU16(0, w.length)
  return w.take()
}

const packetIn = (() => {
  const w = new Writer()
  w.u8(6).u8(4).u16(0).u32(0).u32(0x2320).u32(30)
  w.u16(0).u16(10).zeros(6).align8(0)
  w.u16(4).u16(16).u32(0).u64(7n).u16(7).u16(6).u16(0x0102).zeros(2)
  return w.take()
})()

function group(version: number): Uint8Array {
  const w = new Writer()
  const buckets = [{ id: 1, weight: 5, watchPort: 3, actions: [{ op: 'output', port: 1 } as const] }]
  const selection = { method: 'hash', fields: ['ipv4_src'] } as const
  const sent = { id: 1, type: 'select', buckets } as const
  encodeGroupMod(w, version, 1, { op: 'add', group: version === 6 ? { ...sent, selection } : sent })
  return w.take()
}

const SAMPLES: readonly Uint8Array[] = [
  ...FLOWS.map(flowEntry),
  ...FLOWS.map((flow) => flowEntry(flow).subarray(24)),
  packetIn,
  group(4),
  group(6),
  encodeHello(1),
]

/** Real bytes with some changed, cut off or repeated. */
const mutated = fc
  .tuple(
    fc.constantFrom(...SAMPLES),
    fc.array(fc.tuple(fc.nat({ max: 600 }), fc.nat({ max: 255 })), { maxLength: 6 }),
    fc.nat({ max: 600 }),
    fc.boolean(),
  )
  .map(([sample, changes, length, cut]) => {
    const bytes = new Uint8Array(sample)
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
    return cut ? bytes.slice(0, length % (bytes.length + 1)) : bytes
  })

for (const [name, decode] of Object.entries(DECODERS)) {
  test(`fuzz: ${name}`, () => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => decodeSafely(decode, bytes)),
      { numRuns: 2000 },
    )
  })
}

test('the samples decode unharmed', () => {
  for (const flow of FLOWS) {
    const into: DumpedFlow[] = []
    decodeFlowStats(flowEntry(flow), 0, 6, into)
    expect(into.map((entry) => entry.opaque ?? entry.flow.cookie)).toEqual([flow.cookie])
  }
  expect(decodePacketIn2(packetIn)).toMatchObject({ cookie: 7n, userdata: '0102' })
})

test('property: however a stream is cut, the same messages come out', () => {
  const message = fc.tuple(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 50 })).map(([type, body]) => {
    const w = new Writer()
    w.u8(6)
      .u8(type)
      .u16(8 + body.length)
      .u32(9)
      .raw(body)
    return w.take()
  })
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 })
  const holds = fc.property(fc.array(message), cuts, (messages, sizes) => {
    const stream = Buffer.concat(messages)
    const seen: Uint8Array[] = []
    const split = createSplitter((one) => seen.push(one))
    for (let at = 0, i = 0; at < stream.length; i++) {
      const end = at + (sizes[i % sizes.length] ?? 1)
      split(stream.subarray(at, end))
      at = end
    }
    expect(seen).toEqual(messages)
  })
  fc.assert(holds)
})

test('a peer that is no switch is turned away with a code', () => {
  expect(() => createSplitter(() => undefined)(Buffer.from('HTTP/1.1\0\0\0\0'))).not.toThrow()
  expect(() => createSplitter(() => undefined)(new Uint8Array(16))).toThrow(OpenFlowError)
})
