/** What stops a script, in one line, with what to do about it in the same line. */
export class Refusal extends Error {
  /**
   * @param {string} cause what is the matter
   * @param {string} remedy what to do
   */
  constructor(cause, remedy) {
    super(cause)
    this.name = 'Refusal'
    this.remedy = remedy
  }
}

/** Runs a script's body: a {@link Refusal} becomes one line and exit code 1, anything else keeps its stack. */
export async function main(body) {
  try {
    process.exitCode = await body()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    process.stderr.write(`weft: ${error.message}: ${error.remedy}\n`)
    process.exitCode = 1
  }
}
