/**
 * The tier's arguments.
 * @module
 */
import { parseArgs } from 'node:util'

/** What is to be run. */
export interface Options {
  /** How many cases are generated. */
  readonly cases: number
  /** Of the generator. */
  readonly seed: number
  /** Places of generated cases, the first and the last of them; absent: all. */
  readonly only?: readonly [first: number, last: number]
  /** Connections asked about in each generated world. */
  readonly connections: number
  /** How many worlds of Calico's policies are made at random, after the table of them; -1: not even that. */
  readonly calico: number
  readonly table: boolean
  readonly mutations: boolean
}

/** What `--help` prints. */
export const USAGE = `npm run test:policy -- [options]

  --cases <n>        how many cases are generated (3000)
  --seed <n>         what they are generated from (1)
  --only <n>[-<m>]   generated cases with these numbers alone, no table, no broken compilers
  --connections <n>  how many connections each generated world is asked about (150)
  --calico <n>       how many worlds of Calico's policies are made at random, after their table (200)
  --no-table         without the table of the e2e suite
  --no-mutations     without compilers that are broken on purpose
`

/** Reads arguments; undefined where help is asked for. Throws a TypeError for what makes no sense. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      help: { type: 'boolean', default: false },
      cases: { type: 'string', default: '3000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      connections: { type: 'string', default: '150' },
      calico: { type: 'string', default: '200' },
      table: { type: 'boolean', default: true },
      mutations: { type: 'boolean', default: true },
    },
  })
  if (values.help) return undefined
  const only = values.only === undefined ? undefined : rangeOf(values.only)
  return {
    cases: numberOf('cases', values.cases),
    seed: numberOf('seed', values.seed),
    ...(only === undefined ? {} : { only }),
    connections: numberOf('connections', values.connections),
    calico: only === undefined ? numberOf('calico', values.calico) : -1,
    table: values.table && only === undefined,
    mutations: values.mutations && only === undefined,
  }
}

function rangeOf(text: string): readonly [number, number] {
  const [first = '', last = first] = text.split('-')
  return [numberOf('only', first), numberOf('only', last)]
}

function numberOf(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${name} takes a number, not ${JSON.stringify(text)}`)
  return Number(text)
}
