/**
 * Where a cloud is and who we are to it: what every form of configuration becomes.
 * @module
 */
import type { Secret } from '../secret.ts'

/** A domain, by number or name. */
export type DomainRef = { readonly id: string } | { readonly name: string }

/** A user, by number, or by name within a domain. */
export type UserRef = { readonly id: string } | { readonly name: string; readonly domain: DomainRef }

/** How Keystone is convinced. */
export type Identity =
  | { readonly kind: 'password'; readonly user: UserRef; readonly password: Secret }
  | { readonly kind: 'application-credential'; readonly id: string; readonly secret: Secret }
  | {
      readonly kind: 'application-credential'
      readonly name: string
      readonly user: UserRef
      readonly secret: Secret
    }
  | { readonly kind: 'token'; readonly token: Secret }

/** What a token is to be good for. An application credential has its own, and is asked for none. */
export type Scope =
  | { readonly kind: 'project'; readonly id: string }
  | { readonly kind: 'project'; readonly name: string; readonly domain: DomainRef }
  | { readonly kind: 'domain'; readonly domain: DomainRef }
  | { readonly kind: 'system' }
  | { readonly kind: 'own' }

/** Which of a service's addresses is asked. */
export type Interface = 'public' | 'internal' | 'admin'

/** How servers are known to be those they should be. */
export interface Tls {
  /** PEM; absent: the system's own authorities. */
  readonly ca?: string
  /** PEM. */
  readonly cert?: string
  readonly key?: Secret
  /** Whether servers' certificates are checked. */
  readonly verify: boolean
}

/** A cloud and an account on it. Printing it shows no secret. */
export interface CloudConfig {
  /** Keystone's v3 address, without a slash at its end. */
  readonly authUrl: string
  readonly identity: Identity
  readonly scope: Scope
  /** Absent: the first one of the catalogue. */
  readonly region?: string
  readonly interface: Interface
  readonly tls: Tls
  /** Neutron's address, in place of the one of the catalogue. */
  readonly networkEndpoint?: string
  /** What works and should not stay so, in sentences. */
  readonly warnings: readonly string[]
}

/** All secrets of a configuration. */
export function secretsOf({ identity, tls }: CloudConfig): readonly Secret[] {
  const own =
    identity.kind === 'password' ? identity.password : identity.kind === 'token' ? identity.token : identity.secret
  return tls.key === undefined ? [own] : [own, tls.key]
}
