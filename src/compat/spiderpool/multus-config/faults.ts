/**
 * Reading fields that may hold anything: what is wrong is collected, so that all of it is told at once.
 * @module
 */
import type { FieldProblem } from '../../../network/model/problem.ts'
import { at } from '../../fields.ts'

/** The kernel's limit for names of interfaces, without the closing zero. */
const LONGEST_NAME = 15

/** What is wrong with an object, as far as it was read. */
export class Faults {
  readonly found: FieldProblem[] = []

  add(field: string, reason: string, remedy: string): void {
    this.found.push({ field, reason, remedy })
  }

  /** A whole number from `min` to `max`; where there is none, `otherwise`. */
  number(field: string, value: unknown, bounds: { min: number; max: number }, otherwise: number): number {
    if (value === undefined || value === null) return otherwise
    const { min, max } = bounds
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    const range = min < -1 ? `${max} at most` : `${min} to ${max}`
    this.add(field, 'is no number that can be', `give a whole number, ${range}`)
    return otherwise
  }

  /** `true` or `false`; where there is neither, `otherwise`. */
  flag(field: string, value: unknown, otherwise: boolean): boolean {
    if (value === undefined || value === null) return otherwise
    if (typeof value === 'boolean') return value
    this.add(field, 'is neither true nor false', 'give true or false')
    return otherwise
  }

  /** A text; where there is none, the empty one. */
  text(field: string, value: unknown): string {
    if (value === undefined || value === null) return ''
    if (typeof value === 'string') return value
    this.add(field, 'is no text', 'give a text')
    return ''
  }

  /** Texts; where there are none, none. */
  texts(field: string, value: unknown): readonly string[] {
    return this.items(field, value).map((one, index) => this.text(`${field}[${index}]`, one))
  }

  /** Members of a list; where there is none, none. */
  items(field: string, value: unknown): readonly unknown[] {
    if (value === undefined || value === null) return []
    if (Array.isArray(value)) return value
    this.add(field, 'is no list', 'give a list')
    return []
  }

  /** The name of an interface or a bridge, which has to be there. */
  name(field: string, value: unknown, what: string): string {
    const name = this.text(field, value)
    if (name === '') this.add(field, 'is missing', `name ${what}`)
    else if (!/^(?!\.{1,2}$)[\x21-\x2e\x30-\x39\x3b-\x7e]+$/.test(name) || name.length > LONGEST_NAME) {
      this.add(
        field,
        'cannot be the name of an interface',
        `name ${what}: ${LONGEST_NAME} characters at most, no / or :`,
      )
    }
    return name
  }

  /** The sub-interface of a VLAN, as it is called on the node. */
  subInterface(field: string, master: string, vlan: number): string {
    const name = `${master}.${vlan}`
    if (name.length > LONGEST_NAME && master.length <= LONGEST_NAME) {
      this.add(field, `needs a sub-interface ${name}, a name that is too long`, 'rename the master on the nodes')
    }
    return name
  }
}

/** Whether there is anything at a path. */
export function isGiven(object: unknown, ...path: readonly string[]): boolean {
  return at(object, ...path) !== undefined
}
