import { testLongScenario } from '../lab/testing.ts'
import { apiOutages } from './api-outages.ts'

testLongScenario(apiOutages)
