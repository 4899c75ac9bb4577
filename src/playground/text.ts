/**
 * Text for terminals: widths, boxes, colours that can be left out.
 * @module
 */
import pc from 'picocolors'

/** The colours that are used, each the identity where there are none. */
export type Paint = ReturnType<typeof pc.createColors>

/** Colours where they are wanted. */
export function painter(colours: boolean): Paint {
  return pc.createColors(colours)
}

/** Whether a stream gets colours: a terminal whose user did not say no (https://no-color.org). */
export function wantsColours(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
}

/** The width on screen of text whose characters are all one column wide; colour sequences count nothing. */
export function widthOf(text: string): number {
  return [...Bun.stripANSI(text)].length
}

/** Text filled up with blanks, or cut with an ellipsis, to this width. */
export function fit(text: string, width: number): string {
  const length = widthOf(text)
  if (length <= width) return text + ' '.repeat(width - length)
  return `${[...Bun.stripANSI(text)].slice(0, Math.max(0, width - 1)).join('')}…`
}

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
