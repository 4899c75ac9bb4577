/**
 * Ports in words.
 * @module
 */
import { type PortSpan, TRANSPORTS } from './steps.ts'

/**
 * `tcp 80, 443`, `udp`, `everything`, `everything but tcp 5432`. The spans are in order, and none touches the next.
 */
export function portsText(spans: readonly PortSpan[]): string {
  const others = complement(spans)
  if (others.length === 0) return 'everything'
  return others.length < spans.length ? `everything but ${listed(others)}` : listed(spans)
}

/** All that is in none of these spans. */
function complement(spans: readonly PortSpan[]): readonly PortSpan[] {
  return TRANSPORTS.flatMap(({ protocol, first, last }) => {
    const gaps: PortSpan[] = []
    let next: number = first
    for (const span of spans) {
      if (span.protocol !== protocol) continue
      if (span.from > next) gaps.push({ protocol, from: next, to: span.from - 1 })
      next = span.to + 1
    }
    if (next <= last) gaps.push({ protocol, from: next, to: last })
    return gaps
  })
}

function listed(spans: readonly PortSpan[]): string {
  return TRANSPORTS.flatMap(({ protocol, first, last }) => {
    const own = spans.filter((span) => span.protocol === protocol)
    if (own.length === 0) return []
    const word = protocol.toLowerCase()
    const isWhole = own.some(({ from, to }) => from === first && to === last)
    return [isWhole ? word : `${word} ${own.map(spanText).join(', ')}`]
  }).join(', ')
}

function spanText({ from, to }: PortSpan): string {
  return from === to ? String(from) : `${from}-${to}`
}
