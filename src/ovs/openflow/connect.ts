import { createCalls } from './calls.ts'
import { disconnected } from './channel.ts'
import type { OpenFlowClient, OpenFlowOptions } from './client.ts'
import { OpenFlowError } from './errors.ts'
import type { Version } from './hello.ts'
import { type Header, OFPT } from './message-types.ts'
import { decodePacketIn2 } from './packet-in.ts'
import { decodePortStatus } from './port-desc.ts'
import { transact } from './requests.ts'
import { openSession, type Session } from './session.ts'
import { encodeSetAsync, encodeSetConfig, encodeSetPacketInFormat, type FragmentMode } from './settings.ts'

const FIRST_PAUSE = 50
const LONGEST_PAUSE = 5000

/** Connects to a bridge; see OpenFlowOptions and OpenFlowClient. Throws OpenFlowError. */
export async function connectOpenFlow(options: OpenFlowOptions): Promise<OpenFlowClient> {
  const { path, signal } = options
  const log = options.log ?? ((): void => undefined)
  let session: Session | undefined
  let version: Version = 6
  let fragments = options.fragments
  let closed = false
  let retry: ReturnType<typeof setTimeout> | undefined
  let pause = FIRST_PAUSE

  const onClose = (cause: OpenFlowError): void => {
    const wasReady = session !== undefined
    session = undefined
    if (!wasReady) return
    options.onDisconnect?.(cause)
    schedule()
  }

  const connect = async (): Promise<void> => {
    const onMessage = (header: Header, message: Uint8Array): void => dispatch(options, header, message)
    const opened = await openSession(path, { onMessage, onClose, log })
    if (closed) return opened.close()
    try {
      await setUp(opened, options, fragments)
    } catch (cause) {
      opened.close()
      throw cause
    }
    session = opened
    version = opened.version
    pause = FIRST_PAUSE
    runHook(options, client, log)
  }

  const schedule = (): void => {
    if (closed) return
    // Jitter keeps many clients of one switch from coming back in step.
    const wait = pause * (0.5 + Math.random() / 2)
    pause = Math.min(LONGEST_PAUSE, pause * 2)
    retry = setTimeout(() => {
      connect().catch((cause: unknown) => {
        log(cause instanceof Error ? cause.message : String(cause))
        schedule()
      })
    }, wait)
  }

  const close = (): void => {
    closed = true
    clearTimeout(retry)
    session?.close()
    session = undefined
  }

  const current = (): Session => {
    if (session === undefined) throw disconnected(path, undefined)
    return session
  }

  const client: OpenFlowClient = {
    ...createCalls(current),
    get connected() {
      return session !== undefined
    },
    get version() {
      return version
    },
    async setFragments(mode: FragmentMode) {
      fragments = mode
      const open = current()
      await transact(open, 1, (w, _index, xid) => encodeSetConfig(w, open.version, xid, mode))
    },
    close,
  }

  if (signal?.aborted) throw aborted()
  signal?.addEventListener('abort', close, { once: true })
  await firstConnection(connect, options, log)
  return client
}

async function firstConnection(
  connect: () => Promise<void>,
  { waitForSwitch, signal }: OpenFlowOptions,
  log: (text: string) => void,
): Promise<void> {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    try {
      return await connect()
    } catch (cause) {
      if (waitForSwitch !== true) throw cause
      log(cause instanceof Error ? cause.message : String(cause))
    }
    await Bun.sleep(pause * (0.5 + Math.random() / 2))
    if (signal?.aborted) throw aborted()
  }
}

/** What a connection forgets: fragment mode, and which messages we want unasked. */
async function setUp(session: Session, options: OpenFlowOptions, fragments: FragmentMode | undefined): Promise<void> {
  const { version } = session
  const wanted = { packetIn: options.onPacketIn !== undefined, portStatus: options.onPortStatus !== undefined }
  await transact(session, 3, (w, index, xid) => {
    if (index === 0) encodeSetPacketInFormat(w, version, xid)
    else if (index === 1) encodeSetAsync(w, version, xid, wanted)
    else if (fragments !== undefined) encodeSetConfig(w, version, xid, fragments)
  })
}

function dispatch(options: OpenFlowOptions, header: Header, message: Uint8Array): void {
  if (header.type === OFPT.port_status) options.onPortStatus?.(decodePortStatus(message, header.version))
  else if (header.type === OFPT.experimenter) {
    const packetIn = decodePacketIn2(message)
    if (packetIn !== undefined) options.onPacketIn?.(packetIn)
  }
}

function runHook(options: OpenFlowOptions, client: OpenFlowClient, log: (text: string) => void): void {
  Promise.try(() => options.onConnect?.(client)).catch((cause: unknown) => {
    log(`onConnect failed: ${cause instanceof Error ? cause.message : String(cause)}`)
  })
}

function aborted(): OpenFlowError {
  return new OpenFlowError('OPENFLOW_ABORTED', 'the connection was called off', 'connect again')
}
