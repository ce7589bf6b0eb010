/** What an order carries besides its goods, in requests and answers: charges, addresses, metadata, tags, note. */
import { z } from 'zod';
import {
  maxAddressLineLength,
  maxChargesPerOrder,
  maxExternalReferenceLength,
  maxMetadataKeyLength,
  maxMetadataKeys,
  maxMetadataValueLength,
  maxNameLength,
  maxNoteLength,
  maxPhoneLength,
  maxPostalCodeLength,
  maxTagLength,
  maxTags,
} from '../../domain/limits.js';
import { chargeKinds } from '../../domain/orders/money.js';
import { minorUnits, text } from '../http/schemas.js';
import { isCountryCode } from '../shapes/countries.js';

const chargeFields = {
  kind: z.enum(chargeKinds).openapi({ description: 'What is charged.', example: 'shipping' }),
  name: text(maxNameLength).openapi({ description: 'Its name on receipts.', example: 'Standard shipping' }),
  amount: minorUnits.openapi({ description: 'The charge, in minor units.', example: 490 }),
};
const tax = minorUnits.openapi({ description: 'Its tax, in minor units.', example: 78 });
export const charge = z.object({ ...chargeFields, tax }).openapi('Charge', {
  description: 'An amount that is paid beside the goods.',
});
export const newCharges = z
  .array(z.strictObject({ ...chargeFields, tax: tax.default(0) }))
  .max(maxChargesPerOrder)
  .openapi({ description: 'What is paid beside the goods. Amounts are in the currency of the lines.' });
export const taxesIncluded = z.boolean().openapi({
  description: 'Whether prices and charges contain their taxes, which are then only shown; else taxes are added.',
  example: false,
});

const addressLine = (description: string, example: string) =>
  text(maxAddressLineLength).openapi({ description, example });
const addressFields = {
  name: addressLine('Who lives there.', 'Ada Lovelace').optional(),
  company: addressLine('The company.', 'Analytical Engines').optional(),
  line1: addressLine('Street and number.', '12 St James’s Square'),
  line2: addressLine('Floor, flat, building.', '2nd floor').optional(),
  city: addressLine('City or town.', 'London'),
  region: addressLine('State, province or county.', 'Greater London').optional(),
  postalCode: text(maxPostalCodeLength).openapi({ description: 'Postal code.', example: 'SW1Y 4JH' }).optional(),
  country: z
    .string()
    .refine(isCountryCode, 'must be an ISO 3166-1 alpha-2 code of a country, in capitals')
    .openapi({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2 code.', example: 'GB' }),
  phone: text(maxPhoneLength)
    .openapi({ description: 'Phone number for deliveries.', example: '+44 20 7946 0000' })
    .optional(),
};
export const address = z.strictObject(addressFields).openapi('PostalAddress', { description: 'A postal address.' });
export const shownAddress = z.union([address, z.null()]);

export const externalReference = text(maxExternalReferenceLength).openapi({
  description: 'Your own id for the order. No two orders that did not fail have the same one.',
  example: 'web-10017',
});

const metadataValue = z.union([text(maxMetadataValueLength), z.literal('')]);
const members = z
  .record(text(maxMetadataKeyLength), metadataValue)
  .refine((given) => Object.keys(given).length <= maxMetadataKeys, `must have at most ${maxMetadataKeys} keys`)
  .openapi({
    description: `Your own keys and values: at most ${maxMetadataKeys} keys of ${maxMetadataKeyLength} characters, with values of ${maxMetadataValueLength}.`,
    example: { campaign: 'spring' },
  });
/** Zod drops a key `__proto__` silently; what is given is kept or refused. */
export const metadata = z.preprocess((given, context) => {
  if (typeof given === 'object' && given !== null && Object.hasOwn(given, '__proto__'))
    context.addIssue({ code: 'custom', message: 'must not have a key __proto__' });
  return given;
}, members);
export const shownMetadata = members;
export const tags = z
  .array(text(maxTagLength))
  .max(maxTags)
  .transform((given) => [...new Set(given)])
  .openapi({ description: 'Labels to find the order by. A repeated one counts once.', example: ['gift'] });
export const note = text(maxNoteLength).openapi({
  description: 'A note for those who handle the order.',
  example: 'Leave it with the neighbour.',
});
