/**
 * One rule of `x-kubernetes-validations`, compiled. The language is CEL; of Kubernetes' own libraries nothing is there.
 * @module
 */
import { Environment, type ParseResult } from '@marcbachmann/cel-js'
import { isFields, textAt } from '../../objects/shape.ts'
import type { Schema } from '../schema.ts'
import { factsOf } from './facts.ts'
import { unknownField } from './fields.ts'
import { OUR_MATCHES, registerMatches, withOurMatches } from './matches.ts'
import { type CelValue, sizeOf } from './value.ts'

/** How a rule that fails is told. */
export type RuleReason = 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate'

/** A rule. */
export interface Rule {
  readonly reason: RuleReason
  /** The field that it is about, below the value's own path: `.a.b`; empty for the value. */
  readonly field: string
  /** It compares with what was there before, and means nothing without. */
  readonly isTransition: boolean
  /** Why a value breaks it; undefined where it does not. Never throws, and never takes long. */
  broken(self: CelValue, before: CelValue | undefined): string | undefined
}

/** Characters of a rule. Kubernetes bounds what rules cost; so do the limits of the parser, and {@link MOST_STEPS}. */
const LONGEST_RULE = 10_240
const LIMITS = { maxAstNodes: 2000, maxDepth: 64, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 16 }
/** What one look at a rule may cost, in parts of values that are looked at. */
const MOST_STEPS = 1_000_000

const KNOWN = ['rule', 'message', 'reason', 'fieldPath']
const REASONS: readonly string[] = [
  'FieldValueInvalid',
  'FieldValueForbidden',
  'FieldValueRequired',
  'FieldValueDuplicate',
] satisfies readonly RuleReason[]
const FIELD_PATH = /^(?:\.[A-Za-z_][A-Za-z0-9_-]*)*$/

const environment = registerMatches(new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS }))
  .registerVariable('self', 'dyn')
  .registerVariable('oldSelf', 'dyn')

/** Compiles a rule for values of a schema, or tells what is wrong with it. */
export function compileRule(raw: unknown, schema: Schema): Rule | string {
  if (!isFields(raw)) return 'it is not an object'
  const text = textAt(raw, 'rule')?.trim() ?? ''
  if (text === '') return 'rule is not specified'
  if (text.length > LONGEST_RULE) return `longer than ${LONGEST_RULE} characters`
  const strange = Object.keys(raw).find((key) => !KNOWN.includes(key))
  if (strange !== undefined) return `this server does not know ${strange}`
  const reason = textAt(raw, 'reason') ?? 'FieldValueInvalid'
  if (!isReason(reason)) return `reason has to be one of ${REASONS.join(', ')}`
  const below = textAt(raw, 'fieldPath') ?? ''
  if (!FIELD_PATH.test(below)) return 'fieldPath has to be fields such as .a.b'
  const parsed = parse(text)
  if (typeof parsed === 'string') return parsed
  const message = textAt(raw, 'message') || `failed rule: ${text}`
  const facts = factsOf(parsed.ast)
  const field = unknownField(parsed.ast, schema)
  if (field !== undefined) return `compilation failed: undefined field '${field}'`
  if (facts.calls.has(OUR_MATCHES)) return `compilation failed: undeclared reference to '${OUR_MATCHES}'`
  const run = facts.calls.has('matches') ? parse(withOurMatches(parsed.ast)) : parsed
  if (typeof run === 'string') return run
  return {
    reason,
    field: below,
    isTransition: facts.names.has('oldSelf'),
    broken: (self, before) => {
      if ((sizeOf(self) + sizeOf(before)) ** (1 + facts.depth) > MOST_STEPS) {
        return 'validation failed due to running out of cost budget, no further validation rules will be run'
      }
      return outcomeOf(() => run({ self, oldSelf: before }), text, message)
    },
  }
}

function isReason(text: string): text is RuleReason {
  return REASONS.includes(text)
}

function parse(text: string): ParseResult | string {
  try {
    const parsed = environment.parse(text)
    const { valid, type, error } = parsed.check()
    if (!valid) return `compilation failed: ${firstLine(error)}`
    return type === 'bool' || type === 'dyn' ? parsed : 'cel expression must evaluate to a bool'
  } catch (error) {
    return `compilation failed: ${firstLine(error)}`
  }
}

function outcomeOf(run: () => unknown, text: string, message: string): string | undefined {
  try {
    return run() === true ? undefined : message
  } catch (error) {
    return `${firstLine(error).replace(/^N(?=o such)/, 'n')} evaluating rule: ${text}`
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : 'unreadable').split('\n', 1)[0]?.slice(0, 200) ?? ''
}
