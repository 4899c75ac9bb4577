import { testScenario } from '../lab/testing.ts'
import { explain } from './explain.ts'

testScenario(explain)
