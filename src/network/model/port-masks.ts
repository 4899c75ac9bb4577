/**
 * A range of ports as the values and masks that a switch can match.
 * @module
 */

/** Ports that agree with `value` in the bits of `mask`. */
export interface PortMask {
  readonly value: number
  readonly mask: number
}

/** The fewest masks that cover `from` to `to` and nothing else: 1024–65535 are six. */
export function portMasks(from: number, to: number): readonly PortMask[] {
  const masks: PortMask[] = []
  for (let start = from; start <= to; ) {
    let size = start === 0 ? 0x10000 : start & -start
    while (start + size - 1 > to) size /= 2
    masks.push({ value: start, mask: 0x10000 - size })
    start += size
  }
  return masks
}
