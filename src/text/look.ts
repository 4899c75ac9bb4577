/**
 * How output looks: colours, width, digits. What is printed is decided elsewhere.
 * @module
 */
import { createColors } from 'picocolors'

type Brush = (text: string) => string

/** What a text is, not how it looks; and how much room there is. */
export interface Look {
  readonly title: Brush
  readonly good: Brush
  readonly bad: Brush
  readonly warn: Brush
  readonly quiet: Brush
  /** Colours that tell things apart and mean nothing else. */
  readonly hues: readonly Brush[]
  /** Columns. Nothing printed is wider where words allow it. */
  readonly width: number
  /** Whether thousands are set apart: people read that better, programs do not. */
  readonly groupsDigits: boolean
}

/** The width of what is no terminal, and the most that is used of one. */
export const WIDTH = 100
const NARROWEST = 40

/** The look of output on a stream: colours for a terminal that wants them, as many columns as it has. */
export function lookFor(stream: { readonly isTTY?: boolean; readonly columns?: number }, colours: boolean): Look {
  const { bold, green, red, yellow, dim, magenta, cyan, blue } = createColors(colours)
  return {
    title: bold,
    good: green,
    bad: red,
    warn: yellow,
    quiet: dim,
    hues: [green, magenta, yellow, cyan, blue, red],
    width: Math.max(NARROWEST, Math.min(WIDTH, stream.columns ?? WIDTH)),
    groupsDigits: stream.isTTY === true,
  }
}

/** No colours, no groups: for files, pipes and tests. */
export const PLAIN: Look = lookFor({}, false)
