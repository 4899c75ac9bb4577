import { cniError } from './errors.ts'
import { asObject, type Json, type JsonObject, list, optionalText, ShapeError } from './json.ts'

/** What identifies an attachment within a network. */
export interface AttachmentKey {
  readonly containerId: string
  readonly ifname: string
}

const KEY = 'cni.dev/valid-attachments'
/** The key libcni wrote before the specification's name was settled, and writes beside it still. */
const LEGACY_KEY = 'cni.dev/attachments'

/**
 * The attachments GC must keep: `cni.dev/valid-attachments`, or the legacy key where only that is given. `null` is the
 * empty list (libcni writes it so). No key at all is refused with `attachments-missing`: a forgotten list must not
 * take every pod off the network. Throws `ShapeError` for a malformed list.
 */
export function parseValidAttachments(raw: JsonObject): readonly AttachmentKey[] {
  const key = [KEY, LEGACY_KEY].find((name) => Object.hasOwn(raw, name))
  if (key === undefined) throw cniError('attachments-missing')
  return list(raw, key, key, parseAttachment)
}

function parseAttachment(item: Json, path: string): AttachmentKey {
  const value = asObject(item, path)
  return { containerId: required(value, 'containerID', path), ifname: required(value, 'ifname', path) }
}

function required(value: JsonObject, key: string, path: string): string {
  const text = optionalText(value, key, `${path}.${key}`)
  if (text === undefined) throw new ShapeError(`${path}.${key}`, 'is missing')
  return text
}
