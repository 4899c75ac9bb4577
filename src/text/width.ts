/**
 * Widths on screen.
 * @module
 */

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
