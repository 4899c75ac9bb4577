/**
 * The channels of `kubectl exec` over WebSocket: the first byte of a message says which one the rest belongs to.
 * Source of the numbers: the Kubernetes API's v4 and v5 channel protocols; v5 adds the closing of a channel.
 * @module
 */
import { isFields } from '../objects/shape.ts'

/** Protocols that are spoken, the best one first. */
export const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const

export type Protocol = (typeof PROTOCOLS)[number]

export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

/** What a client says. */
export type Message =
  | { readonly type: 'input'; readonly data: Uint8Array }
  | { readonly type: 'endInput' }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }

/** The best protocol of a client's list; undefined when none is spoken here. */
export function chooseProtocol(offered: string): Protocol | undefined {
  const names = offered.split(',').map((name) => name.trim())
  return PROTOCOLS.find((protocol) => names.includes(protocol))
}

/** Reads a message; undefined for one that means nothing here. */
export function parseMessage(bytes: Uint8Array, protocol: Protocol): Message | undefined {
  const [channel] = bytes
  const data = bytes.subarray(1)
  if (channel === CHANNEL.stdin) return { type: 'input', data }
  if (channel === CHANNEL.resize) return parseResize(data)
  if (channel === CHANNEL.close && protocol === 'v5.channel.k8s.io' && data[0] === CHANNEL.stdin)
    return { type: 'endInput' }
  return undefined
}

/** A message on a channel. */
export function channelMessage(channel: number, data: Uint8Array): Uint8Array {
  const message = new Uint8Array(data.length + 1)
  message[0] = channel
  message.set(data, 1)
  return message
}

/** The `Status` that tells how a command ended. */
export function exitStatus(code: number): unknown {
  if (code === 0) return { metadata: {}, status: 'Success' }
  const message = `command terminated with non-zero exit code: exit status ${code}`
  const details = { causes: [{ reason: 'ExitCode', message: String(code) }] }
  return { metadata: {}, status: 'Failure', message, reason: 'NonZeroExitCode', details }
}

const MOST_CELLS = 65_535

function parseResize(data: Uint8Array): Message | undefined {
  try {
    const size: unknown = JSON.parse(new TextDecoder().decode(data))
    if (!isFields(size)) return undefined
    const { Width: columns, Height: rows } = size
    if (!isCount(columns) || !isCount(rows)) return undefined
    return { type: 'resize', columns, rows }
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MOST_CELLS
}
