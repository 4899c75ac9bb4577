import { testScenario } from '../lab/testing.ts'
import { links } from './links.ts'

testScenario(links)
