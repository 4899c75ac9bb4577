/**
 * What Keystone is asked for a token with. Pure. Source: Identity API v3, "Password authentication with scoped authorization"
 * and its neighbours.
 * @module
 */
import type { CloudConfig, DomainRef, Identity, Scope, UserRef } from '../config/model.ts'

/** The body of `POST /v3/auth/tokens`. It holds secrets in the clear: it goes nowhere but to the wire. */
export function tokenRequest({ identity, scope }: Pick<CloudConfig, 'identity' | 'scope'>): string {
  const asked = scopeOf(scope)
  return JSON.stringify({ auth: { identity: identityOf(identity), ...(asked === undefined ? {} : { scope: asked }) } })
}

function identityOf(identity: Identity): unknown {
  switch (identity.kind) {
    case 'password': {
      const user = { ...userOf(identity.user), password: identity.password.reveal() }
      return { methods: ['password'], password: { user } }
    }
    case 'application-credential': {
      const secret = identity.secret.reveal()
      const of = 'id' in identity ? { id: identity.id } : { name: identity.name, user: userOf(identity.user) }
      return { methods: ['application_credential'], application_credential: { ...of, secret } }
    }
    case 'token':
      return { methods: ['token'], token: { id: identity.token.reveal() } }
  }
}

function userOf(user: UserRef): Readonly<Record<string, unknown>> {
  return 'id' in user ? { id: user.id } : { name: user.name, domain: domainOf(user.domain) }
}

function domainOf(domain: DomainRef): Readonly<Record<string, unknown>> {
  return 'id' in domain ? { id: domain.id } : { name: domain.name }
}

function scopeOf(scope: Scope): unknown {
  switch (scope.kind) {
    case 'project':
      return { project: 'id' in scope ? { id: scope.id } : { name: scope.name, domain: domainOf(scope.domain) } }
    case 'domain':
      return { domain: domainOf(scope.domain) }
    case 'system':
      return { system: { all: true } }
    case 'own':
      return undefined
  }
}
