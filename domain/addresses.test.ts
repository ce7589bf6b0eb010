import { describe, expect, it, test } from 'vitest';
import { isPublicAddress, mayConnect, parseAllowedHost, parseClientUrl } from './addresses.js';

const urlOf = (text: string, allowed: string[] = []) => {
  const hosts = allowed.flatMap((host) => parseAllowedHost(host) ?? []);
  const parsed = parseClientUrl(text, hosts);
  return parsed.kind === 'url' ? parsed.url : null;
};

describe('an address that a client sets', () => {
  it.each([
    ['https://beans.example', 'https://beans.example'],
    ['https://beans.example/', 'https://beans.example'],
    ['HTTPS://Beans.EXAMPLE:443/api/', 'https://beans.example/api/'],
    ['http://beans.example:80/a/../b', 'http://beans.example/b'],
    ['http://beans.example:8080/%7Eme', 'http://beans.example:8080/%7Eme'],
    ['http://supplier/a', 'http://supplier/a'],
    ['http://93.184.216.34', 'http://93.184.216.34'],
    ['http://[2606:2800:220:1:248:1893:25c8:1946]', 'http://[2606:2800:220:1:248:1893:25c8:1946]'],
  ])('is stored in one form: %s', (text, stored) => {
    expect(urlOf(text)).toBe(stored);
    expect(urlOf(stored)).toBe(stored);
  });

  it.each([
    'beans.example',
    'ftp://beans.example',
    'https://me@beans.example',
    'https://me:secret@beans.example',
    'https://beans.example/?q=1',
    'https://beans.example/#top',
    'https://beans.example:65536',
    ' https://beans.example',
    'https://beans.example ',
    'https://beans.\nexample',
    'https://beans.example/a\tb',
    'https://beans.example/a b',
    'https:\\\\beans.example',
    'https://bücher.example',
    'https://beans.example/%zz',
    'https://beans.example:0',
    'https://beans.example/%34242424242424242',
    'https://beans.example/4242%204242%204242%204242',
    'https://',
    `https://beans.example/${'x'.repeat(500)}`,
  ])('is refused where it is not a plain URL: %j', (text) => {
    expect(urlOf(text)).toBeNull();
  });

  it.each([
    'http://localhost',
    'http://LOCALHOST:5432',
    'http://localhost./',
    'http://db.localhost',
    'http://127.0.0.1',
    'http://127.1',
    'http://2130706433',
    'http://0x7f000001',
    'http://0x7f.1',
    'http://0177.0.0.1',
    'http://0',
    'http://0.0.0.0',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://192.168.0.1',
    'http://100.64.0.1',
    'http://169.254.169.254/latest/meta-data',
    'http://224.0.0.1',
    'http://255.255.255.255',
    'http://[::1]',
    'http://[::]',
    'http://[::ffff:127.0.0.1]',
    'http://[::127.0.0.1]',
    'http://[64:ff9b::7f00:1]',
    'http://[2002:7f00:1::]',
    'http://[2001:0:7f00:1::]',
    'http://[fe80::1]',
    'http://[fc00::1]',
    'http://[ff02::1]',
  ])('is refused where its host is not a public address: %s', (text) => {
    expect(urlOf(text)).toBeNull();
  });

  it('may be any host that the operator allows, on the allowed port', () => {
    expect(urlOf('http://127.0.0.1:4000', ['127.0.0.1:4000'])).toBe('http://127.0.0.1:4000');
    expect(urlOf('http://localhost:4000', ['127.0.0.1:4000'])).toBe('http://localhost:4000');
    expect(urlOf('http://localhost:4000', ['localhost'])).toBe('http://localhost:4000');
    expect(urlOf('http://[::1]:4000', ['[::1]'])).toBe('http://[::1]:4000');
    expect(urlOf('http://10.0.0.1', ['10.0.0.1:80'])).toBe('http://10.0.0.1');
    expect(urlOf('https://10.0.0.1', ['10.0.0.1:80'])).toBeNull();
    expect(urlOf('http://127.0.0.1:5432', ['127.0.0.1:4000'])).toBeNull();
  });

  it('is refused where it holds a card number in any form', () => {
    expect(urlOf('https://beans.example/4111111111111111')).toBeNull();
    expect(urlOf('https://beans.example/41111111x/../4111111111111111/')).toBeNull();
  });
});

test.each([
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.127.255.255',
  '127.255.255.254',
  '169.254.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.168.255.255',
  '198.19.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '239.255.255.255',
  '240.0.0.1',
  '::',
  '::1',
  '::2',
  '::ffff:8.8.8.8',
  '::8.8.8.8',
  '::ffff:0:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:808:808::1',
  '3fff::1',
  '4000::1',
  'fd00::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff0e::1',
  'beans.example',
  '',
])('%s is not an address of the public Internet', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
  '%s is an address of the public Internet',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test('an allowed name may resolve to any address; any name may resolve to an allowed address', () => {
  const allowed = ['warehouse:8080', '10.0.0.7:9000'].flatMap((host) => parseAllowedHost(host) ?? []);
  expect(mayConnect(allowed, { host: 'warehouse', port: 8080 }, '10.0.0.9')).toBe(true);
  expect(mayConnect(allowed, { host: 'warehouse', port: 5432 }, '10.0.0.9')).toBe(false);
  expect(mayConnect(allowed, { host: 'beans.example', port: 9000 }, '10.0.0.7')).toBe(true);
  expect(mayConnect(allowed, { host: 'beans.example', port: 5432 }, '10.0.0.7')).toBe(false);
  expect(mayConnect(allowed, { host: 'beans.example', port: 5432 }, '8.8.8.8')).toBe(true);
});

test.each(['http://beans', 'beans:0', 'beans:65536', 'beans:x', 'a b', 'a/b', '10.0.0.0/8', '*', '::1', ':80', 'a@b'])(
  '%s cannot be allowed as a host',
  (text) => {
    expect(parseAllowedHost(text)).toBeNull();
  },
);
