/**
 * Fields that a rule names, and that its schema does not have.
 * @module
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import type { Schema } from '../schema.ts'
import { isNode } from './facts.ts'

/** What every object has, whatever its schema says: a rule at the root may name it. */
const EVERYWHERE: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** The first field below `self` or `oldSelf` that cannot be there; undefined for none. */
export function unknownField(ast: ASTNode, schema: Schema): string | undefined {
  let found: string | undefined
  const visit = (node: unknown): void => {
    if (found !== undefined) return
    if (Array.isArray(node)) for (const inner of node) visit(inner)
    if (!isNode(node)) return
    if (node.op === '.') found = strangerOf(node, schema)
    visit(node.args)
  }
  visit(ast)
  return found
}

function strangerOf(node: ASTNode, schema: Schema): string | undefined {
  if (node.op !== '.') return undefined
  const [inner, name] = node.args
  const below = schemaOf(inner, schema)
  if (below === undefined || EVERYWHERE.has(name)) return undefined
  const isOpen = below.additional !== undefined || below.keepsUnknown || below.types[0] !== 'object'
  return isOpen || below.properties.has(name) ? undefined : name
}

/** The schema of what an expression names; undefined where that takes more than a look. */
function schemaOf(node: ASTNode, schema: Schema): Schema | undefined {
  if (node.op === 'id') return node.args === 'self' || node.args === 'oldSelf' ? schema : undefined
  if (node.op === '.') return schemaOf(node.args[0], schema)?.properties.get(node.args[1])
  return node.op === '[]' ? schemaOf(node.args[0], schema)?.items : undefined
}
