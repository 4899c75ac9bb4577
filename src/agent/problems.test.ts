import { expect, test } from 'bun:test'
import type { AgentLog } from './log.ts'
import { Problems } from './problems.ts'

test('a line of the log tells a problem once: as its message, with the error where there is one', () => {
  const lines: (readonly [object, string])[] = []
  const note = (fields: object, text: string): void => void lines.push([fields, text])
  const problems = new Problems({ warn: note, info: note } as unknown as AgentLog)
  problems.failed('bgp', 'BGPPeer rack spec.peerIP: it has to name one peer')
  problems.failed('bgp', 'BGPPeer rack spec.peerIP: it has to name one peer')
  const error = new Error('gone')
  problems.failed('registry', error)
  problems.solved('bgp')
  expect(lines).toEqual([
    [{ part: 'bgp' }, 'BGPPeer rack spec.peerIP: it has to name one peer'],
    [{ err: error, part: 'registry' }, 'gone'],
    [{ part: 'bgp' }, 'works again'],
  ])
})
