/**
 * What somebody probably meant.
 * @module
 */

/** The known word that is nearest to what was written, if one is near enough to be what was meant. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  const text = written.toLowerCase().slice(0, 80)
  const ranked = known
    .map((word) => ({ word, distance: distance(text, word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(2, Math.floor(best.word.length / 3)) ? best.word : undefined
}

/** Levenshtein's: how many letters have to be added, removed or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
