/**
 * Boxes, and blocks side by side.
 * @module
 */
import { fit, widthOf } from './width.ts'

/** A box of this outer width with a title in its upper edge. */
export function box(title: string, lines: readonly string[], width: number, height = lines.length): readonly string[] {
  const inner = width - 4
  const head = fit(title, Math.min(widthOf(title), width - 6))
  const filled = [...lines, ...new Array<string>(Math.max(0, height - lines.length)).fill('')]
  return [
    `┌─ ${head} ${'─'.repeat(width - 5 - widthOf(head))}┐`,
    ...filled.map((line) => `│ ${fit(line, inner)} │`),
    `└${'─'.repeat(width - 2)}┘`,
  ]
}

/** Blocks of lines side by side. All blocks have the same height. */
export function beside(blocks: readonly (readonly string[])[], gap: string): readonly string[] {
  const [first = []] = blocks
  return first.map((_, row) => blocks.map((block) => block[row] ?? '').join(gap))
}
