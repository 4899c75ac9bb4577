/**
 * Addresses for people.
 * @module
 */
import type { Look } from '../../text/look.ts'
import { type Column, table } from '../../text/table.ts'
import { count, grouped, printable, wrap } from '../../text/words.ts'
import type { ChoiceLook } from './explain.ts'
import { IPAM_FINDINGS, type IpamFinding } from './findings.ts'
import type { PoolLook } from './pools.ts'
import type { Returned } from './repair.ts'
import type { IpamView } from './view.ts'
import type { AddressLook } from './who.ts'
import { ageWords } from './words.ts'

const POOL_COLUMNS: readonly Column[] = [
  { head: 'POOL' },
  { head: 'SUBNET' },
  { head: 'TOTAL', align: 'right' },
  { head: 'USED', align: 'right' },
  { head: 'FREE', align: 'right' },
  { head: 'NEXT' },
  { head: 'STATE' },
]

/** The lines of `weft ipam pools`. */
export function printPools(pools: readonly PoolLook[], look: Look): string[] {
  if (pools.length === 0) return ['There is no pool (SpiderIPPool).']
  const rows = pools.map((pool) => [
    pool.name,
    pool.subnet ?? '—',
    amount(pool.total, look),
    amount(pool.used, look),
    amount(pool.free, look),
    pool.refused === undefined ? (pool.next ?? '—') : '—',
    pool.refused !== undefined ? 'refused' : pool.free === 0n ? 'exhausted' : pool.isDefault ? 'default' : 'ok',
  ])
  const reasons = pools.flatMap(({ name, refused }) => (refused === undefined ? [] : [`${name}: ${refused}`]))
  return [...table(POOL_COLUMNS, rows, look), ...reasons.flatMap((line) => mark('!', line, look).map(look.warn))]
}

/** Beyond what anybody counts, about how many. */
function amount(value: bigint | number, look: Look): string {
  return value > 1e12 ? `≈ ${Number(value).toPrecision(2)}` : grouped(value, look)
}

/** The lines of `weft ipam audit`. */
export function printIpamAudit(view: IpamView, findings: readonly IpamFinding[], look: Look, isLeft = false): string[] {
  const { claims, pods, pools } = view
  const compared = `${count(claims.length, 'claim', look)}, ${count(pods.size, 'pod', look)}, ${count(pools.size, 'pool', look)} compared`
  if (findings.length === 0) return [look.good(`✔ ${compared}: no difference`)]
  const byCode = Map.groupBy(findings, ({ code }) => code)
  const lines = [...byCode].flatMap(([code, all]) => [
    ...wrap(`${code}: ${IPAM_FINDINGS[code].means}`, look.width).map((line) => look.title(line)),
    ...all.flatMap(({ object, sentence }) => mark('•', `${object}: ${sentence}`, look)),
    ...mark('→', IPAM_FINDINGS[code].fix, look),
    '',
  ])
  return [...lines, look.bad(`✘ ${compared}: ${count(findings.length, 'difference', look)}${isLeft ? ' left' : ''}`)]
}

/** The lines of what was given back. */
export function printReturned(results: readonly Returned[], look: Look): string[] {
  return results.map(({ name, done, message }) =>
    printable(`${done ? look.good('✔') : look.bad('✘')} ${name}: ${message}`),
  )
}

/** The lines of `weft ipam who`. */
export function printWho(found: AddressLook, now: number, look: Look): string[] {
  const { address, claim, pods, endpoints, pools, problem } = found
  const head = `${address} ${STATES[found.state]}`
  const facts: readonly (readonly [string, string])[] = [
    ...(claim === undefined
      ? []
      : ([
          ['claim', claim.name],
          ['pool', claim.pool],
          ['pod', `${claim.pod} (${claim.podUid})`],
          ['interface', claim.interface],
          ['node', claim.node],
          ['sandbox', claim.sandbox ?? 'unknown: Spiderpool attached it, and the claim was made of what it recorded'],
          ['since', `${claim.since} (${ageWords(now - Date.parse(claim.since))} ago)`],
          ['owner', `${claim.owner ?? 'none'}${claim.isSticky ? ', whose next pod of that name keeps it' : ''}`],
        ] as const)),
    ...(problem === undefined ? [] : ([['object', problem]] as const)),
    ...pools
      // Of one that is held it matters only who else would give it out.
      .filter(({ name, why }) => name !== claim?.pool && (claim === undefined || why === undefined))
      .map(({ name, why }) => ['pool', why === undefined ? `${name} gives it out` : `${name}: ${why}`] as const),
    ['at pod', pods.join(', ') || (claim === undefined ? 'no pod says that it has it' : NOT_AT_POD)],
    ['endpoint', endpoints.join(', ') || 'none tells of it'],
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  return [
    look.title(head),
    ...facts.flatMap(([name, text]) => {
      const [first = '', ...rest] = wrap(printable(text), look.width - width - 4)
      return [`  ${name.padEnd(width)}  ${first}`, ...rest.map((line) => `  ${' '.repeat(width)}  ${line}`)]
    }),
  ]
}

/** Kubernetes knows the addresses of pods' first interfaces. */
const NOT_AT_POD = 'no pod’s status has it; it tells of first interfaces only'

const STATES: { readonly [S in AddressLook['state']]: string } = {
  claimed: 'is held for a pod',
  unclaimed: 'is a pod’s, and nothing keeps it for that pod',
  unreadable: 'is locked by an object that cannot be read',
  free: 'is free',
  'kept back': 'is free, and is not given out',
  unknown: 'is in no pool',
}

/** A sentence with a mark in front of it. */
function mark(sign: string, text: string, look: Look): readonly string[] {
  return wrap(printable(text), look.width - 4).map((line, i) => `  ${i === 0 ? sign : ' '} ${line}`)
}

/** The lines of `weft ipam explain`. */
export function printChoice(choice: ChoiceLook, look: Look): string[] {
  const { pod, node, network, source, families, has, problem } = choice
  const place = node === '' ? 'on no node yet' : `on node ${node}`
  const via = network === undefined ? '' : `, network ${network}`
  const lines = [look.title(`${pod}, interface ${choice.interface}, ${place}${via}`)]
  if (problem !== undefined) {
    lines.push(...mark('✘', problem.message, look).map(look.bad), ...mark('→', problem.remedy, look))
  } else if (families.length === 0) {
    lines.push('  Nothing names a pool: no annotation, no network configuration, and no pool is marked as default.')
  } else lines.push(`  Pools are named by: ${source}`)
  for (const { family, asked, candidates, filtered } of families) {
    lines.push(`  IPv${family}: ${asked.join(', ')}`)
    for (const { pool, free } of candidates) {
      const words = `${pool}: ${free === 0n ? 'exhausted' : `${amount(free, look)} free`}`
      lines.push(...mark(free === 0n ? '✘' : '✔', words, look).map((line) => `  ${line}`))
    }
    for (const { pool, reason } of filtered) {
      lines.push(...mark('✘', `${pool}: ${reason}`, look).map((line) => `  ${line}`))
    }
  }
  lines.push(has.length === 0 ? '  It has no address of a pool.' : `  It has ${has.join(', ')}.`)
  return lines
}
