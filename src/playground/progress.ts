/**
 * Progress of steps that take their time: a spinner on a terminal, plain lines elsewhere, never two seconds of silence.
 * @module
 */

/** Shows steps. */
export interface Progress {
  /** Runs a step; `note` says what it is doing right now. */
  step<T>(title: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>
}

/** A stream as far as progress needs it. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Shows steps on a stream. */
export function progressOn(stream: ProgressStream): Progress {
  return { step: (title, work) => showStep(title, work, stream) }
}

const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
const SILENCE = 2000

interface Display {
  note(text: string): void
  end(line: string): void
}

async function showStep<T>(
  title: string,
  work: (note: (text: string) => void) => Promise<T>,
  stream: ProgressStream,
): Promise<T> {
  const began = performance.now()
  const seconds = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`
  const display = stream.isTTY === true ? spinner(title, seconds, stream) : plainLines(title, seconds, stream)
  try {
    const result = await work(display.note)
    display.end(`✓ ${title} (${seconds()})`)
    return result
  } catch (error) {
    display.end(`✗ ${title} (${seconds()})`)
    throw error
  }
}

function spinner(title: string, seconds: () => string, stream: ProgressStream): Display {
  let frame = 0
  let said = ''
  const draw = (): void => {
    frame = (frame + 1) % FRAMES.length
    const line = `${FRAMES[frame]} ${title} (${seconds()}) ${said}`
    stream.write(`\r\x1b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`)
  }
  const timer = setInterval(draw, 120)
  return {
    note: (text) => {
      said = text
    },
    end: (line) => {
      clearInterval(timer)
      stream.write(`\r\x1b[2K${line}\n`)
    },
  }
}

function plainLines(title: string, seconds: () => string, stream: ProgressStream): Display {
  let last = performance.now()
  let said = ''
  const say = (line: string): void => {
    last = performance.now()
    stream.write(`${line}\n`)
  }
  const timer = setInterval(() => {
    if (performance.now() - last >= SILENCE - 300) say(`  … ${title} (${seconds()}) ${said}`.trimEnd())
  }, 200)
  return {
    note: (text) => {
      said = text
    },
    end: (line) => {
      clearInterval(timer)
      say(line)
    },
  }
}
