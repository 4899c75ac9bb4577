import { testScenario } from '../lab/testing.ts'
import { clean } from './clean.ts'

testScenario(clean)
