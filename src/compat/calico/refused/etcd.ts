/**
 * The same objects where Calico keeps them in etcd.
 * @module
 */
import { EtcdError, expired } from '../../../etcd/errors.ts'
import type { Entry, KeyEvent, KeySpace } from '../../../etcd/key-space.ts'
import { reflectSource, type Source, type SourceChange } from '../../../registry/reflect.ts'
import { at, optionalField } from '../../fields.ts'
import { parseGoObject } from '../../k8s-ovs/go-object.ts'
import type { CalicoLayout } from '../etcd/layout.ts'
import { isToldIn, sourceRevision, toldIn } from '../etcd/telling.ts'
import type { RefusedKind } from './kinds.ts'
import { isRefused, type Refused, type RefusedSource, reflecting, refusedIn } from './source.ts'

/** Those that Calico's etcd has. What cannot be read asks for nothing that anybody could tell of. */
export function refusedInEtcd(space: KeySpace, layout: CalicoLayout): RefusedSource {
  const listed = async (kind: RefusedKind, signal?: AbortSignal) => {
    const { revision, entries } = await space.list(layout.folderNamed(kind.resource.plural), signal)
    const { history } = space
    const objects = entries.flatMap((entry) => readIn(layout, kind, entry) ?? []).filter(isKept)
    return { revision: toldIn(history, revision), objects: objects.map((object) => told(history, object)) }
  }
  return {
    list: async (kind) => (await listed(kind)).objects.map(({ value }) => value),
    follow: (kind, options) => {
      const source: Source<number, Kept> = {
        list: (signal) => listed(kind, signal),
        watch: (after, signal) => changes(space, layout, kind, after, signal),
        faultOf: (error) => ({
          kind: error instanceof EtcdError && error.code === 'ETCD_EXPIRED' ? 'expired' : 'other',
        }),
      }
      return reflectSource(source, reflecting(options)).done
    },
  }
}

interface Kept {
  readonly name: string
  /** As it is told in its history, where it is one that the source handed out. */
  readonly revision: number
  readonly value: Refused
}

async function* changes(
  space: KeySpace,
  layout: CalicoLayout,
  kind: RefusedKind,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<SourceChange<number, Kept>, void> {
  const folder = layout.folderNamed(kind.resource.plural)
  for await (const { revision, events } of space.watch(folder, sourceRevision(after), signal)) {
    const { history } = space
    // Whoever asked for something else may have met another cluster since this was listed.
    if (!isToldIn(history, after)) throw expired('another etcd cluster answers than before')
    for (const event of events) {
      const object = readIn(layout, kind, entryOf(event, revision))
      if (object !== undefined) yield { type: isKept(object) ? 'put' : 'delete', object: told(history, object) }
    }
    yield { type: 'bookmark', revision: toldIn(history, revision) }
  }
  if (!signal.aborted) throw new Error('etcd ended the watch')
}

function told(history: number, object: Kept): Kept {
  return { ...object, revision: toldIn(history, object.revision) }
}

/** What is gone asks for nothing any more. */
function entryOf(event: KeyEvent, revision: number): Entry {
  return event.type === 'put' ? event.entry : { key: event.key, value: 'gone', revision, created: 0 }
}

/** Undefined for a key that is none of the kind's. */
function readIn(layout: CalicoLayout, kind: RefusedKind, { key, value, revision }: Entry): Kept | undefined {
  const named = layout.placeNamed(kind.resource, key)
  if (named === undefined) return undefined
  const name = named.namespace === undefined ? named.name : `${named.namespace}/${named.name}`
  const read = parseGoObject(value)
  const metadata = { ...Object(at(read, 'metadata')), name: named.name, ...optionalField('namespace', named.namespace) }
  const object = { ...read, apiVersion: 'projectcalico.org/v3', kind: kind.resource.kind, metadata }
  const refused = refusedIn(kind, object)
  return { name, revision, value: read === undefined ? { ...refused, refusals: [] } : refused }
}

function isKept({ value }: Kept): boolean {
  return isRefused(value)
}
