import { expect, test } from 'bun:test'
import type { Batch, KeySpace } from '../../../etcd/key-space.ts'
import { aborted } from '../../../registry/backoff.ts'
import { CalicoLayout } from '../etcd/layout.ts'
import { refusedInEtcd } from './etcd.ts'
import { REFUSED_KINDS, TIERS } from './kinds.ts'

test('what another etcd cluster refused does not stay when it was met between list and watch', async () => {
  const layout = CalicoLayout.of('/calico')
  const kind = REFUSED_KINDS.find(({ resource }) => resource === TIERS)
  if (layout === undefined || kind === undefined) throw new Error('a path, and a kind')
  const value = JSON.stringify({ metadata: { name: 'old' } })
  const old = { key: `${layout.folderNamed(TIERS.plural)}old`, value, revision: 500, created: 500 }
  const after: number[] = []
  const space = {
    history: 1,
    list: async () => ({ revision: 500, entries: space.history === 1 ? [old] : [] }),
    watch: async function* (_: string, from: number, signal: AbortSignal): AsyncGenerator<Batch> {
      after.push(from)
      yield { revision: 501, events: [] }
      await aborted(signal)
    },
  }
  const ending = new AbortController()
  const told: string[] = []
  const gone = Promise.withResolvers<void>()
  const running = refusedInEtcd(space as unknown as KeySpace, layout).follow(kind, {
    signal: ending.signal,
    onChange: ({ about }, isThere) => {
      told.push(`${about.metadata.name} ${isThere}`)
      // Listed, and not watched yet: somebody else meets the other cluster.
      space.history = 2
      if (!isThere) gone.resolve()
    },
    onError: () => undefined,
  })
  await gone.promise
  ending.abort()
  await running
  expect(told).toEqual(['old true', 'old false'])
  // etcd is asked for its own revisions.
  expect(after[0]).toBe(500)
})
