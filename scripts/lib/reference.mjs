/**
 * References of container images.
 */
import { Refusal } from './fail.mjs'

// https://github.com/distribution/reference: what runtimes accept.
const HOST =
  /^(?:[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+(?::\d+)?|localhost(?::\d+)?|[a-zA-Z0-9-]+:\d+|\[[0-9a-fA-F:]+\](?::\d+)?)$/
const PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^\w[\w.-]{0,127}$/

/**
 * A reference as every runtime understands it: `weft:1` is `docker.io/library/weft:1`. Throws a Refusal for what is none,
 * or has no tag.
 */
export function fullReference(text) {
  const at = text.lastIndexOf(':')
  const [path, tag] = at > text.lastIndexOf('/') ? [text.slice(0, at), text.slice(at + 1)] : [text, '']
  const [first, ...rest] = path.split('/')
  const hasHost = rest.length > 0 && HOST.test(first)
  const parts = hasHost ? rest : [first, ...rest]
  if (!TAG.test(tag) || !parts.every((part) => PART.test(part))) {
    throw new Refusal(`${JSON.stringify(text)} is no name of an image`, 'write it as registry.example/folder/weft:tag')
  }
  const host = hasHost ? first : 'docker.io'
  const folder = host === 'docker.io' && parts.length === 1 ? 'library/' : ''
  return `${host}/${folder}${parts.join('/')}:${tag}`
}
