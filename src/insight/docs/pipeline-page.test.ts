import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DROPS } from '../../network/pipeline/drops.ts'
import { STAGES } from '../../network/pipeline/stages.ts'
import { pipelinePage } from './pipeline-page.ts'

const PAGE = join(import.meta.dir, '../../../docs/pipeline.md')

test('docs/pipeline.md is what `weft docs pipeline` prints', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(pipelinePage())
})

test('the page has every stage with an example, and every drop', () => {
  const page = pipelinePage()
  for (const name of Object.keys(STAGES)) {
    expect(page).toContain(`\n## ${name}\n`)
    expect(page.split(`\n## ${name}\n`)[1]).toMatch(/^[^#]*```\ntable=\d+/)
  }
  for (const name of Object.keys(DROPS)) expect(page).toContain(`| \`${name}\``)
})
