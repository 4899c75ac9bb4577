/**
 * Progress of things that take their time: a spinner on a terminal, plain lines elsewhere. Nothing stays silent for
 * more than two seconds.
 */
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const SILENCE = 2000

/**
 * Runs one step and shows that it goes on. `work` gets a function that says what it is doing right now.
 * @template T
 * @param {string} title
 * @param {(note: (text: string) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work, out = process.stderr) {
  const started = Date.now()
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`
  const show = out.isTTY ? spinner(title, seconds, out) : lines(title, seconds, out)
  try {
    const result = await work(show.note)
    show.end(`✓ ${title} (${seconds()})`)
    return result
  } catch (error) {
    show.end(`✗ ${title} (${seconds()})`)
    throw error
  }
}

function spinner(title, seconds, out) {
  let frame = 0
  let text = ''
  const draw = () => {
    frame += 1
    const line = `${FRAMES[frame % FRAMES.length]} ${title} (${seconds()}) ${text}`
    out.write(`\r\x1b[2K${line.slice(0, (out.columns || 80) - 1)}`)
  }
  const timer = setInterval(draw, 120)
  draw()
  return {
    note: (said) => {
      text = said
    },
    end: (line) => {
      clearInterval(timer)
      out.write(`\r\x1b[2K${line}\n`)
    },
  }
}

function lines(title, seconds, out) {
  let last = Date.now()
  const say = (line) => {
    last = Date.now()
    out.write(`${line}\n`)
  }
  say(`→ ${title}`)
  const beat = () => {
    if (Date.now() - last >= SILENCE - 250) say(`  … ${title} (${seconds()})`)
  }
  const timer = setInterval(beat, 250)
  return {
    note: (text) => say(`  ${text}`),
    end: (line) => {
      clearInterval(timer)
      say(line)
    },
  }
}
