import { testScenario } from '../lab/testing.ts'
import { underlay } from './underlay.ts'

testScenario(underlay)
