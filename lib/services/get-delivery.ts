import type { ObjectStore } from '../aws/objects.ts'
import { findReceipt, type Receipt } from '../delivery/receipt.ts'
import { InvalidInputError } from '../errors.ts'

/**
 * The receipt of a delivery that has ended, well or not.
 *
 * @throws {InvalidInputError} DELIVERY_NOT_FOUND while it is under way, and for an id that was never given.
 */
export async function getDelivery(deps: { state: ObjectStore }, deliveryId: string): Promise<Receipt> {
  const receipt = await findReceipt(deps.state, deliveryId)
  if (receipt === undefined) {
    throw new InvalidInputError('No delivery of this id has ended yet.', { code: 'DELIVERY_NOT_FOUND' })
  }
  return receipt
}
