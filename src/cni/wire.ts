/**
 * The protocol between the plugin (`native/forwarder.c`) and the agent: one request, one reply, each one message of a
 * SOCK_SEQPACKET unix socket.
 *
 * Request, integers little-endian:
 *
 *     0   8  magic `WEFTCNI1`; the last character is the version
 *     8   4  flags: bit 0: a descriptor of CNI_NETNS comes along (SCM_RIGHTS, exactly one)
 *     12  4  length of the program's name
 *     16  4  length of the environment
 *     20  4  length of the input
 *     24     the program's name (base name of argv[0]: `weft`, `ovs`, `ipam-neutron`, …),
 *            the environment (`CNI_…=value`, each ended by a NUL), the input (standard input)
 *
 * Reply, the same in every version: 1 byte exit status, then the bytes for standard output.
 * @module
 */
import { cniError } from './errors.ts'
import { MAX_INPUT } from './request.ts'

/** First bytes of every request. */
export const WIRE_MAGIC = 'WEFTCNI1'
/** Bytes before the parts. */
export const WIRE_HEADER = 24
/** Bit 0 of the flags. */
export const FLAG_NETNS = 1
/** Limits of the parts and of whole messages, in bytes. */
export const MAX_PROGRAM = 255
export const MAX_ENVIRONMENT = 65_536
export const MAX_REQUEST = WIRE_HEADER + MAX_PROGRAM + MAX_ENVIRONMENT + MAX_INPUT
/** Below the send buffer Linux gives a socket by default (212,992), so that the agent needs no privilege to answer. */
export const MAX_REPLY = 131_072

/** One call as the plugin saw it, nothing validated but the framing. */
export interface WireRequest {
  readonly program: string
  /** CNI_ variables; of one given twice the first, as getenv(3) has it. */
  readonly environment: ReadonlyMap<string, string>
  readonly input: Uint8Array
  /** Whether the plugin could open CNI_NETNS and sent its descriptor. */
  readonly hasNetns: boolean
}

/** What the plugin prints and exits with. */
export interface WireReply {
  readonly status: number
  readonly output: Uint8Array
}

/** Encodes a request as the plugin does. Throws `wire-malformed` or `input-too-large` for parts that do not fit. */
export function encodeWireRequest(request: WireRequest): Uint8Array {
  const program = encode(request.program)
  const environment = encode([...request.environment].map(([name, value]) => `${name}=${value}\0`).join(''))
  const { input } = request
  checkLengths(program.length, environment.length, input.length)
  const message = new Uint8Array(WIRE_HEADER + program.length + environment.length + input.length)
  message.set(encode(WIRE_MAGIC))
  const flags = request.hasNetns ? FLAG_NETNS : 0
  const view = new DataView(message.buffer)
  for (const [index, value] of [flags, program.length, environment.length, input.length].entries()) {
    view.setUint32(8 + 4 * index, value, true)
  }
  message.set(program, WIRE_HEADER)
  message.set(environment, WIRE_HEADER + program.length)
  message.set(input, WIRE_HEADER + program.length + environment.length)
  return message
}

/**
 * Decodes a request. Throws `wire-version` for another version's message, `wire-malformed` or `input-too-large` for
 * anything else that is not one. The input is a view into `message`.
 */
export function decodeWireRequest(message: Uint8Array): WireRequest {
  if (message.length < WIRE_HEADER) throw malformed('shorter than its header')
  checkMagic(message)
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const flags = view.getUint32(8, true)
  if ((flags & ~FLAG_NETNS) !== 0) throw malformed('unknown flags')
  const [program, environment, input] = [view.getUint32(12, true), view.getUint32(16, true), view.getUint32(20, true)]
  checkLengths(program, environment, input)
  if (WIRE_HEADER + program + environment + input !== message.length) throw malformed('lengths do not add up')
  const environmentAt = WIRE_HEADER + program
  const inputAt = environmentAt + environment
  return {
    program: decode(message.subarray(WIRE_HEADER, environmentAt)),
    environment: decodeEnvironment(message.subarray(environmentAt, inputAt)),
    input: message.subarray(inputAt),
    hasNetns: (flags & FLAG_NETNS) !== 0,
  }
}

/** Encodes a reply. Throws `wire-reply-invalid` where the plugin would not accept it. */
export function encodeWireReply({ status, output }: WireReply): Uint8Array {
  const isStatus = Number.isInteger(status) && status >= 0 && status <= 255
  if (!isStatus || output.length + 1 > MAX_REPLY) throw cniError('wire-reply-invalid')
  const message = new Uint8Array(1 + output.length)
  message[0] = status
  message.set(output, 1)
  return message
}

/** Decodes a reply as the plugin does. Throws `wire-reply-invalid`. */
export function decodeWireReply(message: Uint8Array): WireReply {
  const [status] = message
  if (status === undefined || message.length > MAX_REPLY) throw cniError('wire-reply-invalid')
  return { status, output: message.subarray(1) }
}

function checkMagic(message: Uint8Array): void {
  const magic = encode(WIRE_MAGIC)
  const differs = magic.findIndex((byte, index) => message[index] !== byte)
  if (differs === -1) return
  throw differs === magic.length - 1 ? cniError('wire-version') : malformed('not a request')
}

function checkLengths(program: number, environment: number, input: number): void {
  if (program > MAX_PROGRAM) throw malformed('the name of the program is too long')
  if (environment > MAX_ENVIRONMENT) throw cniError('environment-too-large', { limit: MAX_ENVIRONMENT })
  if (input > MAX_INPUT) throw cniError('input-too-large', { limit: MAX_INPUT })
}

function decodeEnvironment(bytes: Uint8Array): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  if (bytes.length === 0) return variables
  if (bytes[bytes.length - 1] !== 0) throw malformed('the environment does not end')
  for (const entry of decode(bytes.subarray(0, -1)).split('\0')) {
    const equals = entry.indexOf('=')
    if (equals < 0 || !entry.startsWith('CNI_'))
      throw malformed('the environment holds something else than CNI_ variables')
    const name = entry.slice(0, equals)
    if (!variables.has(name)) variables.set(name, entry.slice(equals + 1))
  }
  return variables
}

function malformed(reason: string): Error {
  return cniError('wire-malformed', { reason })
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Bytes that are not UTF-8 become U+FFFD: names and identifiers with it are refused later. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
