import { testLongScenario } from '../lab/testing.ts'
import { links } from './links.ts'

testLongScenario(links)
