/**
 * JSON paths as printer columns write them: fields, indices, `[*]` and filters of one comparison.
 * @module
 */
import { isFields, valueAt } from '../objects/shape.ts'

/** A step of a path. */
export type Step =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'all' }
  | { readonly type: 'filter'; readonly path: readonly string[]; readonly equal: boolean; readonly value: unknown }

const LONGEST = 1024
const FIELD = /^\.((?:\\.|[^.[\]\s\\])+)/
const QUOTED = /^\[(?:'([^']*)'|"([^"]*)")\]/
const INDEX = /^\[(-?\d{1,9})\]/
const ALL = /^(?:\[\*\]|\.\*)/
const FILTER = /^\[\?\(@((?:\.[\w\-/]+)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|(-?\d+(?:\.\d+)?|true|false))\)\]/

/** The steps of a path such as `.status.conditions[?(@.type=="Ready")].status`; undefined for what is none. */
export function parseJsonPath(text: string): readonly Step[] | undefined {
  if (text.length > LONGEST) return undefined
  const steps: Step[] = []
  let rest = text.replace(/^\{(.*)\}$/, '$1').replace(/^\$/, '')
  while (rest !== '' && rest !== '.') {
    const [step, length] = nextStep(rest) ?? []
    if (step === undefined || length === undefined) return undefined
    steps.push(step)
    rest = rest.slice(length)
  }
  return steps
}

function nextStep(rest: string): readonly [Step, number] | undefined {
  const all = ALL.exec(rest)
  if (all !== null) return [{ type: 'all' }, all[0].length]
  const field = FIELD.exec(rest)
  if (field !== null) return [{ type: 'field', name: (field[1] ?? '').replace(/\\(.)/g, '$1') }, field[0].length]
  const quoted = QUOTED.exec(rest)
  if (quoted !== null) return [{ type: 'field', name: quoted[1] ?? quoted[2] ?? '' }, quoted[0].length]
  const index = INDEX.exec(rest)
  if (index !== null) return [{ type: 'index', index: Number(index[1]) }, index[0].length]
  const filter = FILTER.exec(rest)
  if (filter === null) return undefined
  const [whole, path = '', operator, double, single, literal] = filter
  const value = double ?? single ?? JSON.parse(literal ?? 'null')
  return [{ type: 'filter', path: path.slice(1).split('.'), equal: operator === '==', value }, whole.length]
}

/** Everything that a path leads to; nothing where it leads nowhere. */
export function followJsonPath(value: unknown, steps: readonly Step[]): readonly unknown[] {
  return steps.reduce<readonly unknown[]>((found, step) => found.flatMap((item) => follow(item, step)), [value])
}

function follow(item: unknown, step: Step): readonly unknown[] {
  switch (step.type) {
    case 'field':
      return present(valueAt(item, step.name))
    case 'index':
      return Array.isArray(item) ? present(item.at(step.index)) : []
    case 'all':
      return Array.isArray(item) ? item : isFields(item) ? Object.values(item) : []
    case 'filter':
      return Array.isArray(item)
        ? item.filter((each) => (valueAt(each, ...step.path) === step.value) === step.equal)
        : []
  }
}

function present(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : [value]
}
