import { Refusal } from './fail.mjs'

/** A moment of no meaning, after 1980: some tools complain of files that are older than archives. */
const SOME_TIME = 1_577_836_800

/**
 * Seconds since the epoch that everything in an artefact is said to be from, so that the same sources give the same bytes.
 * https://reproducible-builds.org/specs/source-date-epoch/
 */
export function timeOfEverything() {
  const text = process.env.SOURCE_DATE_EPOCH ?? String(SOME_TIME)
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new Refusal('SOURCE_DATE_EPOCH is no number of seconds', 'set it to one, or unset it')
}
