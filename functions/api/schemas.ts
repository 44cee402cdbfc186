// What crosses the HTTP API in more than one area, in FLIP's names and forms.
import * as z from 'zod'

/** A UUID as Python's callers write it: any case, with or without hyphens; lower case with hyphens from here on. */
export const Uuid = z.preprocess(
  (value) => (typeof value === 'string' ? hyphenated(value.toLowerCase()) : value),
  z.guid(),
)

/** What every route that asks XNAT may answer. */
export const xnatErrors = {
  502: 'XNAT refused the service account or the request, or gave an answer that could not be understood.',
  503: 'XNAT is busy or cannot be reached.',
}

export const noSuchProject = { 404: 'There is no project of this ID.' }

const hyphenated = (text: string) =>
  text.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, '$1-$2-$3-$4-$5')

// XML cannot carry these, not even escaped.
const notInXml = /[\p{Noncharacter_Code_Point}]|(?![\t\n\r])\p{Cc}/u
const lineBreaks = /[\t\n\r\p{Zl}\p{Zp}]/u

/** Text that can travel to XNAT and back. */
export const Text = z
  .string()
  .refine((text) => !notInXml.test(text) && text.isWellFormed(), 'must not contain control characters')

/** The same, on one line. */
export const Line = Text.refine((text) => !lineBreaks.test(text), 'must not contain line breaks or tabs')

/** An XNAT project ID. */
export const ProjectId = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'a project ID holds only letters, digits, "_" and "-"')
  .max(255, 'must not be longer than 255 characters')
  .meta({ description: "XNAT's ID of the project.", example: '5b6317f2-aa4d-5eb7-bf01-9ebc1ad9c94a' })

/** One segment of a path, by FLIP's rule (flip-contract 2.11). */
export const PathSegment = z
  .string()
  .min(1, 'must not be empty')
  .refine((text) => text !== '.' && text !== '..', "must not be a dot-segment ('.' or '..')")
  .regex(/^[A-Za-z0-9._~-]*$/, 'must contain only RFC 3986 unreserved characters [A-Za-z0-9._~-]')

/** An e-mail address; its domain in lower case, as FLIP's reader makes it. */
export const Email = z
  .email()
  .transform((email) => {
    const at = email.lastIndexOf('@')
    return email.slice(0, at) + email.slice(at).toLowerCase()
  })
  .meta({ example: 'jo.bloggs@example.org' })

/** XNAT: what it takes for the name of an account (xnat/auth-users-import 4.3). */
export const Username = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_'.-]{0,63}$/, "must be a letter and at most 63 letters, digits or - _ ' .")
  .meta({ example: 'jbloggs' })

/** XNAT: what it takes for a person's first or last name (xnat/auth-users-import 4.3). */
export const PersonName = Line.trim().regex(/^[^&<>"/]+$/, 'must not be empty nor contain & < > " or /')

/** An XNAT account, in XNAT's own names. */
export const User = z
  .object({
    lastModified: z.int().nullable().meta({ description: 'Milliseconds since 1970.' }),
    username: z.string(),
    enabled: z.boolean(),
    id: z.int(),
    secured: z.boolean(),
    email: z.string(),
    verified: z.boolean(),
    firstName: z.string(),
    lastName: z.string(),
    lastSuccessfulLogin: z.int().nullable().meta({ description: 'Milliseconds since 1970; null before the first.' }),
  })
  .meta({
    id: 'User',
    description: 'An account in XNAT.',
    example: {
      lastModified: 1_767_225_600_000,
      username: 'jbloggs',
      enabled: true,
      id: 7,
      secured: true,
      email: 'jo.bloggs@example.org',
      verified: true,
      firstName: 'Jo',
      lastName: 'Bloggs',
      lastSuccessfulLogin: null,
    },
  })
