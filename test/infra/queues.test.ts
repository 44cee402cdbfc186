import { describe, expect, inject, it } from 'vitest'
import { resolve } from '../../infra/local/run-functions/resolve-service.ts'
import { testEnvironment } from '../support/wired.ts'

const { functions, queues } = resolve(inject('service'), {
  region: 'eu-central-1',
  sqsUrl: 'http://127.0.0.1:9',
  environment: testEnvironment,
})

describe('the deliveries queue', () => {
  it('hands an order in more often than deliver-files tries it, which then can say what ended it', () => {
    const tries = functions.find(({ name }) => name === 'deliverFiles')?.environment['DELIVERY_TRIES']
    const queue = queues.find(({ logicalId }) => logicalId === 'DeliveriesQueue')
    const { maxReceiveCount } = JSON.parse(queue?.attributes['RedrivePolicy'] ?? '{}')

    expect(Number(tries)).toBeGreaterThan(1)
    expect(maxReceiveCount).toBeGreaterThan(Number(tries))
  })
})
