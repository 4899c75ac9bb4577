import { testScenario } from '../lab/testing.ts'
import { spoof } from './spoof.ts'

testScenario(spoof)
