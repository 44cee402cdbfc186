import type { Exchange } from './exchange.ts'
import { type Reply, textReply } from './reply.ts'

/** XNAT: a POST to a list is 200 with the new URL, in the form the request used, as body and Location (SecureResource.java). */
export function createdInList({ xnat, rawPath }: Exchange, id: string | number): Reply {
  const url = `${xnat.siteUrl()}${rawPath.replace(/\/$/, '')}/${id}`
  const reply = textReply(url)
  return { ...reply, headers: { ...reply.headers, Location: url } }
}
