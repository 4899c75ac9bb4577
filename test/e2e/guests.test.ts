import { testScenario } from '../lab/testing.ts'
import { guests } from './guests.ts'

testScenario(guests)
