/**
 * Who may call: everybody with a token, which is as good as a root shell. Tokens are kept in a file of their owner's.
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { ApiError } from '../contract.ts'
import { isFields } from '../objects/shape.ts'

/** The users and their tokens. */
export class Credentials {
  readonly #path: string
  readonly #tokens: Map<string, string>
  readonly #digests = new Map<string, Buffer>()

  /** Reads the file, if there is one. */
  constructor(path: string) {
    this.#path = path
    this.#tokens = existsSync(path) ? parseTokens(readFileSync(path, 'utf8')) : new Map()
    for (const [user, token] of this.#tokens) this.#digests.set(user, digestOf(token))
  }

  /** A user's token, made on first use: `admin`, `controller`, `node:<name>`. */
  tokenOf(user: string): string {
    const known = this.#tokens.get(user)
    if (known !== undefined) return known
    const token = randomBytes(32).toString('base64url')
    this.#tokens.set(user, token)
    this.#digests.set(user, digestOf(token))
    this.#save()
    return token
  }

  /** The user of a call. Throws a 403 without a token, a 401 with a wrong one. */
  userOf(request: Request): string {
    const header = request.headers.get('authorization')
    if (header === null)
      throw new ApiError(
        403,
        'Forbidden',
        'forbidden: User "system:anonymous" cannot call this server: send a token',
        {},
      )
    const given = digestOf(/^Bearer\s+(\S+)\s*$/i.exec(header)?.[1] ?? '')
    let user: string | undefined
    // All are compared, each in constant time: nothing is learnt from how long it took.
    for (const [name, digest] of this.#digests) if (timingSafeEqual(given, digest)) user = name
    if (user === undefined) throw new ApiError(401, 'Unauthorized', 'Unauthorized')
    return user
  }

  #save(): void {
    const temporary = `${this.#path}.new`
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(this.#tokens)), { mode: 0o600 })
    renameSync(temporary, this.#path)
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function parseTokens(text: string): Map<string, string> {
  try {
    const value: unknown = JSON.parse(text)
    if (!isFields(value)) return new Map()
    return new Map(Object.entries(value).flatMap(([user, token]) => (typeof token === 'string' ? [[user, token]] : [])))
  } catch {
    return new Map()
  }
}
