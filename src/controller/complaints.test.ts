import { expect, test } from 'bun:test'
import { Complaints } from './complaints.ts'

test('an error is said once, until all goes well; of very many none is kept for good', () => {
  const said: string[] = []
  const complaints = new Complaints({ warn: (_, text) => said.push(text ?? '') })
  const late = new Error('too late')
  for (let n = 0; n < 3; n += 1) complaints.say('cannot write x', late)
  complaints.say('cannot write y', late)
  expect(said).toEqual(['cannot write x: too late', 'cannot write y: too late'])
  complaints.clear()
  complaints.say('cannot write x', late)
  expect(said).toHaveLength(3)
  for (let n = 0; n < 1_000; n += 1) complaints.say(`cannot write ${n}`, late)
  complaints.say('cannot write x', late)
  expect(said.at(-1)).toBe('cannot write x: too late')
})
