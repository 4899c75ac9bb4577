/**
 * A list out of a stream: its items one by one, so that a large collection is never whole in memory.
 * @module
 */
import { garbage, parseJson } from './decode.ts'

/** An object of the API has at most 1.5 MB in etcd, and JSON escapes may make it longer. */
const MAX_ITEM = 16 << 20
/** What is around the items: a line, and two characters for each of them. */
const MAX_ENVELOPE = 8 << 20

/** Inside of the list's object, and inside of its items. */
const [IN_LIST, IN_ITEMS] = [1, 2]

/** Takes the text of a list piece by piece. Throws `KUBE_UNAVAILABLE` for what is none. */
export class ListReader {
  readonly #onItem: (item: unknown) => void
  /** The text around the items, in which a 0 stands for each of them: whether that is JSON says the parser. */
  #envelope = ''
  /** The text of the item that has begun. */
  #item: string[] = []
  #itemLength = 0
  #count = 0
  #depth = 0
  #isInItems = false
  #isInString = false
  #isEscaped = false
  /** What is being taken, and from where on it is not kept yet. */
  #piece = ''
  #from = 0

  /** `onItem` gets each item as soon as it is whole. */
  constructor(onItem: (item: unknown) => void) {
    this.#onItem = onItem
  }

  /** Takes the next piece. */
  push(piece: string): void {
    this.#piece = piece
    this.#from = 0
    for (let at = 0; at < piece.length; at += 1) {
      const character = piece[at]
      if (this.#isInString) this.#inString(character)
      else if (character === '"') this.#isInString = true
      else if (character === ',') this.#comma(at)
      else if (character === '[' || character === '{') this.#open(at)
      else if (character === ']' || character === '}') this.#close(at)
    }
    this.#keepUpTo(piece.length)
  }

  /** The list without its items. */
  end(): Readonly<Record<string, unknown>> {
    const list = this.#isInItems ? undefined : parseJson(this.#envelope)
    if (typeof list !== 'object' || list === null || Array.isArray(list)) throw garbage('something that is not a list')
    const { items = [], ...rest } = list as Readonly<Record<string, unknown>>
    if (items !== null && !(Array.isArray(items) && items.length === this.#count)) throw garbage('a list of no items')
    return rest
  }

  #comma(at: number): void {
    if (!this.#isBetweenItems()) return
    this.#keepUpTo(at)
    this.#endItem()
    this.#envelope += ','
    this.#from = at + 1
  }

  /** The items are what is behind their name. */
  #open(at: number): void {
    if (this.#depth === IN_LIST && this.#piece[at] === '[') {
      this.#keepUpTo(at)
      const isItems = /"items"\s{0,9}:\s{0,9}$/.test(this.#envelope.slice(-32))
      this.#keepUpTo(at + 1)
      this.#isInItems = isItems
    }
    this.#depth += 1
  }

  #close(at: number): void {
    if (this.#isBetweenItems()) {
      this.#keepUpTo(at)
      this.#endItem()
      this.#isInItems = false
    }
    this.#depth -= 1
  }

  #isBetweenItems(): boolean {
    return this.#isInItems && this.#depth === IN_ITEMS
  }

  #inString(character: string | undefined): void {
    if (this.#isEscaped) this.#isEscaped = false
    else if (character === '\\') this.#isEscaped = true
    else if (character === '"') this.#isInString = false
  }

  #keepUpTo(at: number): void {
    const text = this.#piece.slice(this.#from, at)
    this.#from = at
    if (!this.#isInItems) {
      this.#envelope += text
      if (this.#envelope.length > MAX_ENVELOPE) throw garbage('a list without an end')
      return
    }
    this.#item.push(text)
    this.#itemLength += text.length
    if (this.#itemLength > MAX_ITEM) throw garbage('an item without an end')
  }

  #endItem(): void {
    const text = this.#item.join('').trim()
    this.#item = []
    this.#itemLength = 0
    if (text === '') return
    this.#onItem(parseJson(text))
    this.#count += 1
    this.#envelope += '0'
  }
}
