import { FlowError } from '../../flow/errors.ts'
import { BUNDLE, type BundleMessage, encodeBundleAdd, encodeBundleControl } from './bundle.ts'
import { describeMessage } from './describe.ts'
import { OpenFlowError, SwitchError } from './errors.ts'
import { OFPT } from './message-types.ts'
import type { Session } from './session.ts'
import { beginMessage, endMessage, Writer } from './writer.ts'

/** A bundle of which nothing was applied, because of one message in it. */
export class BundleError extends OpenFlowError {
  /** Position of the message at fault in the list that was given; -1 if the switch did not say. */
  readonly index: number

  constructor(error: OpenFlowError, index: number, message: BundleMessage | undefined) {
    const about = message === undefined ? '' : `message ${index}, ${describeMessage(message)}: `
    super(error.code, `bundle refused: ${about}${error.message}`, error.remedy)
    this.index = index
    this.cause = error
  }
}

/**
 * Applies all messages or none, in order. Throws BundleError naming the message at fault.
 *
 * An error inside an open bundle does not make its commit fail (measured on Open vSwitch 3.1): so a barrier comes
 * before the commit, and an error seen by then discards the bundle. Errors that only show at commit (an output to a
 * missing group) come under the transaction id of the message and then of the commit; nothing is applied then.
 *
 * `confirm: 'afterwards'` leaves the barrier out: a refused message throws too, but the others may be applied.
 */
export async function commitBundle(
  session: Session,
  bundle: number,
  messages: readonly BundleMessage[],
  confirm: 'before' | 'afterwards' = 'before',
): Promise<void> {
  if (messages.length === 0) return
  const { version } = session
  const faults: { readonly index: number; readonly error: SwitchError }[] = []
  const claim = session.claim(messages.length + 1, (index, error) => faults.push({ index: index - 1, error }))
  const control = (request: number): Promise<unknown> =>
    session.request((w, xid) => encodeBundleControl(w, version, xid, bundle, request))
  const fail = (cause: unknown): never => {
    const fault = faults[0]
    if (fault !== undefined) throw new BundleError(fault.error, fault.index, messages[fault.index])
    throw cause instanceof SwitchError ? new BundleError(cause, -1, undefined) : cause
  }
  try {
    const opened = control(BUNDLE.open)
    // Read together with the barrier; a rejection must not go unhandled meanwhile.
    opened.catch(() => undefined)
    const adds = encodeAdds(messages, version, claim.first + 1, bundle)
    session.send(adds)
    if (confirm === 'before') {
      await session.request((w, xid) => encodeBarrier(w, version, xid))
      await opened
      if (faults.length > 0) {
        // Whatever becomes of the discard, the fault is what the caller has to know.
        await control(BUNDLE.discard).catch(() => undefined)
        fail(undefined)
      }
    }
    await control(BUNDLE.commit).catch(fail)
    // Answers come in order: with the commit's, those to the messages are here.
    if (faults.length > 0) fail(undefined)
  } finally {
    claim.release()
  }
}

/** Writes a barrier request. */
export function encodeBarrier(w: Writer, version: number, xid: number): void {
  endMessage(w, beginMessage(w, version, OFPT.barrier_request, xid))
}

function encodeAdds(messages: readonly BundleMessage[], version: number, firstXid: number, bundle: number): Writer {
  const w = new Writer(Math.max(4096, messages.length * 192))
  for (const [index, message] of messages.entries()) {
    try {
      encodeBundleAdd(w, version, firstXid + index, bundle, message)
    } catch (cause) {
      if (cause instanceof OpenFlowError) throw new BundleError(cause, index, message)
      if (!(cause instanceof FlowError)) throw cause
      throw new BundleError(new OpenFlowError(cause.code, cause.message, cause.remedy), index, message)
    }
  }
  return w
}
