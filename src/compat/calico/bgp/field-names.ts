/**
 * What the fields of our model are called in Calico's objects: whoever wrote one is told of it in their own words.
 * @module
 */

/** A field of the model, with `[]` for an item of a list, and what it is in the object. */
export type FieldNames = Readonly<Record<string, string>>

const ITEM = /\[\d+\]/g

/** Makes of a path such as `communities[0].cidr` the one in the object. What has no name there stays. */
export function fieldNamed(names: FieldNames): (path: string) => string {
  return (path) => {
    const items = path.match(ITEM) ?? []
    const form = path.replaceAll(ITEM, '[]')
    const known = prefixesOf(form).find((prefix) => Object.hasOwn(names, prefix))
    if (known === undefined) return path
    let next = 0
    return `${names[known]}${form.slice(known.length)}`.replaceAll('[]', (item) => items[next++] ?? item)
  }
}

/** A path and what it is below of, the longest first. */
function prefixesOf(path: string): readonly string[] {
  const ends = [...path.matchAll(/\.|\[\]|$/g)].flatMap(({ 0: text, index }) =>
    text === '[]' ? [index, index + text.length] : [index],
  )
  return [...new Set(ends)].toSorted((a, b) => b - a).map((end) => path.slice(0, end))
}
