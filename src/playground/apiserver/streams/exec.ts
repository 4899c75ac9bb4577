/**
 * `kubectl exec` and `attach`: a command's streams over a WebSocket.
 * @module
 */
import type { ServerWebSocket, WebSocketHandler } from 'bun'
import type { Call, Context } from '../context.ts'
import type { ExecOptions, ExecSession } from '../contract.ts'
import { badRequest, statusOf } from '../http/status.ts'
import { flagOf } from '../verbs/options.ts'
import {
  CHANNEL,
  channelMessage,
  chooseProtocol,
  exitStatus,
  type Message,
  type Protocol,
  parseMessage,
} from './channels.ts'
import { containerOf, runningPod, runtimeOf } from './log.ts'

/** What a socket belongs to. */
export interface Attachment {
  readonly protocol: Protocol
  start(): Promise<ExecSession>
  session: ExecSession | undefined
  /** What came before the command ran. */
  readonly early: Message[]
  isOver: boolean
  /** Called when what was sent has been taken. */
  drained: (() => void) | undefined
}

/** Checks a call that wants a WebSocket. Throws ApiError. */
export function attachmentOf(context: Context, call: Call): Attachment {
  const protocol = chooseProtocol(call.request.headers.get('sec-websocket-protocol') ?? '')
  if (protocol === undefined) throw badRequest('this server speaks v5.channel.k8s.io and v4.channel.k8s.io here')
  const { query } = call
  const pod = runningPod(context, call)
  const runtime = runtimeOf(context)
  const has = (name: string): boolean => query.has(name) && flagOf(query, name)
  const command = query.getAll('command')
  if (call.subresource !== 'exec') throw badRequest('attach is not served here: use exec')
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container')
  const options: ExecOptions = {
    container: containerOf(pod, query.get('container')),
    command,
    stdin: has('stdin'),
    stdout: has('stdout'),
    stderr: has('stderr'),
    tty: has('tty'),
  }
  return {
    protocol,
    start: () => runtime.exec(pod, options),
    session: undefined,
    early: [],
    isOver: false,
    drained: undefined,
  }
}

/** Bytes that may wait in a socket before a command's output is held back. */
const MOST_WAITING = 1024 * 1024
const MOST_EARLY = 256

/** How sockets with an {@link Attachment} behave. */
export const execHandler: WebSocketHandler<Attachment> = {
  idleTimeout: 0,
  sendPings: true,
  maxPayloadLength: 4 * 1024 * 1024,
  open: (socket) => void run(socket),
  message: (socket, message) => {
    const attachment = socket.data
    const bytes = typeof message === 'string' ? new TextEncoder().encode(message) : message
    const parsed = parseMessage(bytes, attachment.protocol)
    if (parsed === undefined) return
    if (attachment.session !== undefined) deliver(attachment.session, parsed)
    // The buffer is the socket's own: what waits is copied.
    else if (attachment.early.length < MOST_EARLY) {
      attachment.early.push(parsed.type === 'input' ? { ...parsed, data: parsed.data.slice() } : parsed)
    } else socket.close(1009, 'too much input before the command ran')
  },
  drain: ({ data }) => data.drained?.(),
  close: ({ data }) => {
    data.isOver = true
    data.drained?.()
    data.session?.kill()
  },
}

async function run(socket: ServerWebSocket<Attachment>): Promise<void> {
  const { data } = socket
  try {
    const session = await data.start()
    data.session = session
    if (data.isOver) return session.kill()
    for (const message of data.early.splice(0)) deliver(session, message)
    const outputs = [pump(socket, CHANNEL.stdout, session.stdout)]
    if (session.stderr !== undefined) outputs.push(pump(socket, CHANNEL.stderr, session.stderr))
    const code = await session.exited
    await Promise.all(outputs)
    finish(socket, exitStatus(code))
  } catch (error) {
    finish(socket, statusOf(error))
  }
}

function deliver(session: ExecSession, message: Message): void {
  if (message.type === 'input') session.write(message.data)
  else if (message.type === 'endInput') session.endInput()
  else session.resize(message.columns, message.rows)
}

async function pump(
  socket: ServerWebSocket<Attachment>,
  channel: number,
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  for await (const chunk of stream) {
    if (socket.data.isOver) return
    socket.sendBinary(channelMessage(channel, chunk))
    if (socket.getBufferedAmount() > MOST_WAITING) await drainOf(socket)
  }
}

function drainOf({ data }: ServerWebSocket<Attachment>): Promise<void> {
  return new Promise((resolve) => {
    const before = data.drained
    data.drained = () => {
      before?.()
      data.drained = undefined
      resolve()
    }
  })
}

function finish(socket: ServerWebSocket<Attachment>, status: unknown): void {
  if (socket.data.isOver) return
  socket.sendBinary(channelMessage(CHANNEL.error, new TextEncoder().encode(JSON.stringify(status))))
  socket.close(1000)
}
