/**
 * Colours, where there is a terminal to show them.
 * @module
 */
import { createColors } from 'picocolors'

/** What a text is, not how it looks. */
export interface Paint {
  readonly title: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
  readonly quiet: (text: string) => string
}

/** Colours, or none. */
export function paint(colours: boolean): Paint {
  const { bold, green, red, yellow, dim } = createColors(colours)
  return { title: bold, good: green, bad: red, warn: yellow, quiet: dim }
}

/** No colours: for files, pipes and tests. */
export const PLAIN: Paint = paint(false)
