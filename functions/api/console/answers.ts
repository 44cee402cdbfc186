// What the API answers, by the schemas that the answers leave through. Types only: nothing of the server gets into the page.
import type * as z from 'zod'
import type { Receipt as ReceiptSchema } from '../../../lib/delivery/receipt.ts'
import type { ReceiptSummary as ReceiptSummarySchema } from '../../../lib/delivery/receipt-index.ts'
import type { DeadLetters as DeadLettersSchema, Redrive as RedriveSchema } from '../../../lib/services/dead-letters.ts'
import type { DeliveryPage as DeliveryPageSchema } from '../deliveries.ts'
import type { Health as HealthSchema } from '../health.ts'
import type { PacsStatus as PacsStatusSchema } from '../imaging.ts'
import type { Project as ProjectSchema, Provisioning as ProvisioningSchema } from '../projects.ts'
import type { ImportAccepted as ImportAcceptedSchema, StatusAnswer as StatusSchema } from '../retrieval.ts'

export type Health = z.output<typeof HealthSchema>
export type PacsStatus = z.output<typeof PacsStatusSchema>
export type Project = z.output<typeof ProjectSchema>
export type Provisioning = z.output<typeof ProvisioningSchema>
export type ImportStatus = z.output<typeof StatusSchema>
export type Study = ImportStatus['studies'][number]
export type ImportAccepted = z.output<typeof ImportAcceptedSchema>
export type ReceiptSummary = z.output<typeof ReceiptSummarySchema>
export type DeliveryPage = z.output<typeof DeliveryPageSchema>
export type Receipt = z.output<typeof ReceiptSchema>
export type DeadLetters = z.output<typeof DeadLettersSchema>
export type QueueName = DeadLetters['queue']
export type Redrive = z.output<typeof RedriveSchema>
