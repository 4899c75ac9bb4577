import type { Match } from '../../flow/flow.ts'
import { NICIRA } from './action-codes.ts'
import { OpenFlowError } from './errors.ts'
import { readProperty } from './group-stats.ts'
import { NXT, OFPT } from './message-types.ts'
import { decodeFields } from './oxm.ts'
import { Reader } from './reader.ts'

/** A packet that a flow sent to us. */
export interface PacketIn {
  readonly packet: Uint8Array
  /** What the flow's `controller` action carries, in hexadecimal. */
  readonly userdata: string
  readonly table: number
  readonly cookie: bigint
  /** 1 is a controller action, 0 a table miss. */
  readonly reason: number
  /** What accompanied the packet: in_port, registers, tunnel, metadata. */
  readonly metadata: Match
}

const PROPERTY = { packet: 0, tableId: 3, cookie: 4, reason: 5, metadata: 6, userdata: 7 } as const

/** Reads a whole NXT_PACKET_IN2 message; undefined for other experimenter messages. */
export function decodePacketIn2(message: Uint8Array): PacketIn | undefined {
  const r = new Reader(message, 8)
  if (message[1] !== OFPT.experimenter || r.u32() !== NICIRA || r.u32() !== NXT.packet_in2) return undefined
  let packetIn: PacketIn = { packet: NOTHING, userdata: '', table: 0, cookie: 0n, reason: 0, metadata: {} }
  while (r.left > 0) {
    const { type, value } = readProperty(r)
    packetIn = { ...packetIn, ...decodeProperty(type, value) }
  }
  return packetIn
}

const NOTHING = new Uint8Array(0)

function decodeProperty(type: number, value: Reader): Partial<PacketIn> {
  switch (type) {
    case PROPERTY.packet:
      return { packet: value.take(value.left) }
    case PROPERTY.tableId:
      return { table: value.u8() }
    case PROPERTY.cookie:
      value.skip(4)
      return { cookie: value.u64() }
    case PROPERTY.reason:
      return { reason: value.u8() }
    case PROPERTY.metadata:
      return { metadata: decodeMetadata(value) }
    case PROPERTY.userdata:
      return { userdata: value.hex(value.left) }
    default:
      return {}
  }
}

/** A field that the language lacks must not cost us the packet. */
function decodeMetadata(r: Reader): Match {
  try {
    return decodeFields(r)
  } catch (cause) {
    if (cause instanceof OpenFlowError && cause.code === 'OPENFLOW_UNKNOWN_FIELD') return {}
    throw cause
  }
}
