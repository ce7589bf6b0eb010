import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { metadataEntry, orderCharge, orderLine, postalAddress } from './order-values.js';

describe('what an order carries on the command line', () => {
  it('reads a line with and without its location', () => {
    expect(orderLine('MUG-1:2')).toEqual([{ sku: 'MUG-1', quantity: 2 }]);
    expect(orderLine('MUG-1:2@east.1')).toEqual([{ sku: 'MUG-1', quantity: 2, location: 'east.1' }]);
  });

  it('reads the money and the name of a line', () => {
    expect(orderLine('MUG-1:2@main,price=19.99 usd,discount=1.50,tax=3,name=Mug = blue')).toEqual([
      {
        sku: 'MUG-1',
        quantity: 2,
        location: 'main',
        unitPrice: { amount: 1999, currency: 'USD' },
        discount: 150,
        tax: 300,
        name: 'Mug = blue',
      },
    ]);
  });

  it('collects lines in the order given', () => {
    expect(orderLine('B:2', orderLine('A:1'))).toEqual([
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 2 },
    ]);
  });

  it.each([
    'A',
    'A:',
    ':1',
    'A:0',
    'A:-1',
    'A:1.5',
    'A:1@',
    'A:1:2',
    'A B:1',
    '_A:1',
    'A:1000000001',
    'A:1@-x',
    'A:1e3',
    'A:1,',
    'A:1,price=19.99',
    'A:1,discount=1.5',
    'A:1,discount=-1',
    'A:1,weight=3',
  ])('refuses the line %j', (text) => {
    expect(() => orderLine(text)).toThrow(InvalidArgumentError);
  });

  it('reads charges with and without their tax', () => {
    expect(orderCharge('fee:Card fee:1:0.19', orderCharge('shipping:Post:4.90'))).toEqual([
      { kind: 'shipping', name: 'Post', amount: 490, tax: 0 },
      { kind: 'fee', name: 'Card fee', amount: 100, tax: 19 },
    ]);
  });

  it.each(['gift:Post:4.90', 'shipping:4.90', 'shipping::4.90', 'shipping:Post:4.9', 'shipping:Post:1:2:3'])(
    'refuses the charge %j',
    (text) => {
      expect(() => orderCharge(text)).toThrow(InvalidArgumentError);
    },
  );

  it('reads addresses and metadata', () => {
    expect(postalAddress('line1=12 High Street, left; city=London;country=GB')).toEqual({
      line1: '12 High Street, left',
      city: 'London',
      country: 'GB',
    });
    expect(() => postalAddress('street=12 High Street')).toThrow(InvalidArgumentError);
    expect(metadataEntry('a=', metadataEntry('b=c=d'))).toEqual({ a: '', b: 'c=d' });
    expect(() => metadataEntry('a')).toThrow(InvalidArgumentError);
  });
});
