import { testScenario } from '../lab/testing.ts'
import { bypass } from './bypass.ts'

testScenario(bypass)
