/** Message types of OpenFlow 1.3 to 1.5. */
export const OFPT = {
  hello: 0,
  error: 1,
  echo_request: 2,
  echo_reply: 3,
  experimenter: 4,
  features_request: 5,
  features_reply: 6,
  get_config_request: 7,
  get_config_reply: 8,
  set_config: 9,
  packet_in: 10,
  port_status: 12,
  packet_out: 13,
  flow_mod: 14,
  group_mod: 15,
  multipart_request: 18,
  multipart_reply: 19,
  barrier_request: 20,
  barrier_reply: 21,
  set_async: 28,
  meter_mod: 29,
  bundle_control: 33,
  bundle_add: 34,
} as const

/** Multipart types. */
export const OFPMP = {
  flow: 1,
  table: 3,
  group: 6,
  group_desc: 7,
  meter: 9,
  meter_config: 10,
  port_desc: 13,
} as const

/** Nicira's messages, by subtype. */
export const NXT = { set_packet_in_format: 16, packet_in2: 30, ct_flush: 32 } as const

/** Length of the header that every message begins with. */
export const HEADER = 8

/** The header of a message. */
export interface Header {
  readonly version: number
  readonly type: number
  readonly length: number
  readonly xid: number
}

/** Reads the header at `at`; eight bytes must be there. */
export function readHeader(bytes: Uint8Array, at = 0): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER)
  return { version: view.getUint8(0), type: view.getUint8(1), length: view.getUint16(2), xid: view.getUint32(4) }
}
