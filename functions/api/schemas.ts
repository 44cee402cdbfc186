// What crosses the HTTP API in more than one area, in FLIP's names and forms.
import * as z from 'zod'

/** A UUID as Python's callers write it: any case, with or without hyphens; lower case with hyphens from here on. */
export const Uuid = z.preprocess(
  (value) => (typeof value === 'string' ? hyphenated(value.toLowerCase()) : value),
  z.guid(),
)

const hyphenated = (text: string) =>
  text.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, '$1-$2-$3-$4-$5')

/** An XNAT project ID. */
export const ProjectId = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'a project ID holds only letters, digits, "_" and "-"')
  .meta({ example: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a' })

/** One segment of a path, by FLIP's rule (flip-contract 2.11). */
export const PathSegment = z
  .string()
  .min(1, 'must not be empty')
  .refine((text) => text !== '.' && text !== '..', "must not be a dot-segment ('.' or '..')")
  .regex(/^[A-Za-z0-9._~-]*$/, 'must contain only RFC 3986 unreserved characters [A-Za-z0-9._~-]')

/** An e-mail address; its domain in lower case, as FLIP's reader makes it. */
export const Email = z.email().transform((email) => {
  const at = email.lastIndexOf('@')
  return email.slice(0, at) + email.slice(at).toLowerCase()
})

/** An XNAT account, in XNAT's own names. */
export const User = z.object({
  lastModified: z.int().nullable(),
  username: z.string(),
  enabled: z.boolean(),
  id: z.int(),
  secured: z.boolean(),
  email: z.string(),
  verified: z.boolean(),
  firstName: z.string(),
  lastName: z.string(),
  lastSuccessfulLogin: z.int().nullable(),
})
