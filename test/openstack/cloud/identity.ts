/**
 * Keystone's objects, made by an administrator's calls. The `openstack` client takes seconds for each.
 * @module
 */

/** An administrator's hand on Keystone. */
export class Identity {
  readonly #url: string
  readonly #token: string

  private constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  /** Logs in as `admin` with the password of the same name. `url` ends in `/v3`. */
  static async login(url: string): Promise<Identity> {
    return new Identity(url, (await login(url, 'admin', 'admin')).token)
  }

  /** A token of an account whose password is its name. */
  async tokenOf(account: string, project: string): Promise<string> {
    return (await login(this.#url, account, project)).token
  }

  /** Who has it can do what the account can in its project. */
  async applicationCredential(account: string, project: string, name: string): Promise<{ id: string; secret: string }> {
    const { token, userId } = await login(this.#url, account, project)
    const path = `${this.#url}/users/${userId}/application_credentials`
    const answer = await send(path, 'POST', { application_credential: { name } }, { 'x-auth-token': token })
    const body = (await answer.json()) as { application_credential: { id: string; secret: string } }
    return body.application_credential
  }

  /** Makes an object and gives its ID. */
  async create(kind: string, key: string, fields: Readonly<Record<string, unknown>>): Promise<string> {
    const answer = await this.#call(`/${kind}`, 'POST', { [key]: fields })
    return idIn(await answer.json(), key)
  }

  /** Gives a user a role in a project. */
  async grant(project: string, user: string, role: string): Promise<void> {
    const [id] = await this.#list('roles', `name=${role}`)
    if (id === undefined) throw new Error(`there is no role ${role}`)
    await this.#call(`/projects/${project}/users/${user}/roles/${id}`, 'PUT')
  }

  /** Puts a service's address in a region into the catalogue. */
  async publish(service: { readonly type: string; readonly name: string }, region: string, url: string): Promise<void> {
    const [known] = await this.#list('services', `type=${service.type}`)
    const service_id = known ?? (await this.create('services', 'service', service))
    await this.#call(`/regions/${region}`, 'PUT', { region: {} }).catch(() => undefined)
    for (const side of ['public', 'internal', 'admin']) {
      await this.create('endpoints', 'endpoint', { interface: side, service_id, region_id: region, url })
    }
  }

  /** Ends a token before its time. */
  async revoke(token: string): Promise<void> {
    await send(`${this.#url}/auth/tokens`, 'DELETE', undefined, {
      'x-auth-token': this.#token,
      'x-subject-token': token,
    })
  }

  /** IDs of the objects that a query finds. */
  async #list(kind: string, query: string): Promise<readonly string[]> {
    const found = (await (await this.#call(`/${kind}?${query}`, 'GET')).json()) as Record<string, { id: string }[]>
    return (found[kind] ?? []).map(({ id }) => id)
  }

  #call(path: string, method: string, body?: unknown): Promise<Response> {
    return send(`${this.#url}${path}`, method, body, { 'x-auth-token': this.#token })
  }
}

function idIn(body: unknown, key: string): string {
  const id = (body as Record<string, { readonly id?: string } | undefined>)[key]?.id
  if (id === undefined) throw new Error(`Keystone made no ${key}`)
  return id
}

/** A token for a project, by a password that is the account's name. */
async function login(url: string, account: string, project: string): Promise<{ token: string; userId: string }> {
  const domain = { id: 'default' }
  const identity = { methods: ['password'], password: { user: { name: account, domain, password: account } } }
  const auth = { identity, scope: { project: { name: project, domain } } }
  const answer = await send(`${url}/auth/tokens`, 'POST', { auth })
  const { token } = (await answer.json()) as { token: { user: { id: string } } }
  return { token: answer.headers.get('x-subject-token') ?? '', userId: token.user.id }
}

async function send(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // Its small server cuts connections that are kept.
    keepalive: false,
  })
  if (answer.ok) return answer
  throw new Error(
    `${method} ${new URL(url).pathname} failed with ${answer.status}: ${(await answer.text()).slice(0, 500)}`,
  )
}
