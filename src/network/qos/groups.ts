/**
 * Numbers of the classes that a namespace's endpoints share on a node. Classes carry no names: the number is a function of
 * the namespaces that are there, so that an agent without memory finds them again.
 * @module
 */

/** Classes of endpoints have the numbers of their ports, from 0x1000 upwards; these are below. */
const FIRST = 0x0010
const COUNT = 0x1000 - FIRST

/** A number for each namespace. Where two want the same one, the later in the alphabet takes the next that is free. */
export function groupNumbers(namespaces: Iterable<string>): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  const taken = new Set<number>()
  for (const namespace of [...new Set(namespaces)].sort()) {
    let place = hash(namespace) % COUNT
    while (taken.has(place) && taken.size < COUNT) place = (place + 1) % COUNT
    taken.add(place)
    numbers.set(namespace, FIRST + place)
  }
  return numbers
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0
  return value
}
