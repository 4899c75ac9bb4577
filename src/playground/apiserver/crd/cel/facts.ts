/**
 * What an expression is made of.
 * @module
 */
import type { ASTNode } from '@marcbachmann/cel-js'

/** The names in an expression. */
export interface Facts {
  readonly names: ReadonlySet<string>
  readonly calls: ReadonlySet<string>
  /** How deep loops stand in loops. */
  readonly depth: number
}

/** These go through all of a value once more, for each part of another. */
const LOOPS: readonly string[] = ['all', 'exists', 'exists_one', 'filter', 'map']

/** What an expression is made of. */
export function factsOf(ast: ASTNode): Facts {
  const [names, calls] = [new Set<string>(), new Set<string>()]
  const depthOf = (node: unknown): number => {
    if (Array.isArray(node)) return Math.max(0, ...node.map(depthOf))
    if (!isNode(node)) return 0
    if (node.op === 'id') names.add(String(node.args))
    const name = node.op === 'call' || node.op === 'rcall' ? String(node.args[0]) : ''
    if (name !== '') calls.add(name)
    return depthOf(node.args) + (LOOPS.includes(name) ? 1 : 0)
  }
  const depth = depthOf(ast)
  return { names, calls, depth }
}

/** Whether something in a node's arguments is a node itself. */
export function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value
}
