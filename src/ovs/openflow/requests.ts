import { setImmediate as turn } from 'node:timers/promises'
import type { BundleMessage } from './bundle.ts'
import type { Change } from './client.ts'
import { encodeBarrier } from './commit-bundle.ts'
import { OpenFlowError, type SwitchError } from './errors.ts'
import { OFPT } from './message-types.ts'
import { Reader } from './reader.ts'
import type { Session } from './session.ts'
import { beginMessage, endMessage, Writer } from './writer.ts'

/** Most bytes one dump may have: a million flows are well below. */
const MAX_DUMP_BYTES = 512 * 1024 * 1024
const MORE = 1
const BODY = 16

/** Where a dump goes part by part: the message and where its body begins. */
type OnPart = (message: Uint8Array, start: number) => void

/**
 * Sends a multipart request and decodes each part of the reply in a turn of the event loop of its own, so that a dump
 * of 100,000 flows does not hold up everything else. Throws `OPENFLOW_REPLY_TOO_LARGE`, or what `decode` throws.
 */
export async function multipart(
  session: Session,
  type: number,
  encodeBody: (w: Writer) => void,
  decode: OnPart,
): Promise<void> {
  const parts: Uint8Array[] = []
  let arrived = Promise.withResolvers<void>()
  let total = 0
  let last = false
  const onPart = (part: Uint8Array): boolean => {
    total += part.length
    parts.push(part)
    last = isLast(part, type) || total > MAX_DUMP_BYTES
    arrived.resolve()
    return last
  }
  const done = session.requestParts((w, xid) => writeRequest(w, session.version, xid, type, encodeBody), onPart)
  done.catch((cause) => arrived.reject(cause))
  arrived.promise.catch(() => undefined)
  while (parts.length > 0 || !last) {
    await arrived.promise
    if (total > MAX_DUMP_BYTES) throw tooLarge()
    const part = parts.shift()
    if (part !== undefined) decode(part, BODY)
    if (parts.length === 0 && !last) {
      arrived = Promise.withResolvers()
      arrived.promise.catch(() => undefined)
    }
    if (parts.length > 0 || !last) await turn()
  }
  await done
}

function isLast(part: Uint8Array, type: number): boolean {
  const r = new Reader(part, 1)
  const kind = r.u8()
  r.skip(6)
  const ok = kind === OFPT.multipart_reply && part.length >= BODY && r.u16() === type
  return !ok || (r.u16() & MORE) === 0
}

function writeRequest(w: Writer, version: number, xid: number, type: number, encodeBody: (w: Writer) => void): void {
  const start = beginMessage(w, version, OFPT.multipart_request, xid)
  w.u16(type).u16(0).u32(0)
  encodeBody(w)
  endMessage(w, start)
}

function tooLarge(): OpenFlowError {
  return new OpenFlowError(
    'OPENFLOW_REPLY_TOO_LARGE',
    `a dump exceeds ${MAX_DUMP_BYTES} bytes`,
    'dump table by table, or by cookie',
  )
}

/** Sends messages that have no reply, and a barrier; throws the first error that any of them met. */
export async function transact(
  session: Session,
  count: number,
  encode: (w: Writer, index: number, xid: number) => void,
): Promise<void> {
  const errors: SwitchError[] = []
  const claim = session.claim(count, (_index, error) => errors.push(error))
  try {
    const w = new Writer()
    for (let index = 0; index < count; index++) encode(w, index, claim.first + index)
    session.send(w)
    await barrier(session)
  } finally {
    claim.release()
  }
  const [first] = errors
  if (first !== undefined) throw first
}

/** Resolves when the switch has done everything sent before. */
export async function barrier(session: Session): Promise<void> {
  await session.request((w, xid) => encodeBarrier(w, session.version, xid))
}

/** A change as the messages of one bundle: new and modified groups, flows in their order, groups removed. */
export function messagesOf({ groups = [], flows = [] }: Change): BundleMessage[] {
  const isLate = (op: string): boolean => op === 'delete' || op === 'remove_bucket'
  return [
    ...groups.filter(({ op }) => !isLate(op)).map((mod) => ({ kind: 'group', mod }) as const),
    ...flows.map((mod) => ({ kind: 'flow', mod }) as const),
    ...groups.filter(({ op }) => isLate(op)).map((mod) => ({ kind: 'group', mod }) as const),
  ]
}
