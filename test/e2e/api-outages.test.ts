import { testScenario } from '../lab/testing.ts'
import { apiOutages } from './api-outages.ts'

testScenario(apiOutages)
