import { describe, expect, test } from 'vitest';
import { acceptRefusal, contentTypeRefusal } from './media.js';

describe('a body is read if its type is JSON in UTF-8', () => {
  test.each([
    undefined,
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/json; charset=utf8',
    'application/merge-patch+json',
    'application/vnd.shop.v2+json; profile=x',
  ])('%s', (type) => {
    expect(contentTypeRefusal(type)).toBeNull();
  });

  test.each([
    '',
    'json',
    'text/json',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'application/+json',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/octet-stream',
  ])('and not if it is %s', (type) => {
    expect(contentTypeRefusal(type)?.code).toBe('unsupported_media_type');
  });
});

describe('an answer is sent to a client that accepts JSON', () => {
  test.each([
    undefined,
    '',
    '*/*',
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/json;odata=verbose;q=0.3',
    'application/*',
    'text/html, */*;q=0.1',
    'text/html;level="a,b", application/json',
    'application/json;q=0.5, */*;q=0',
    'text/html, , application/json',
  ])('%s', (accept) => {
    expect(acceptRefusal(accept)).toBeNull();
  });

  test.each([
    'text/html',
    'application/xml, text/*;q=0.5',
    'application/json;q=0',
    '*/*;q=0',
    'application/json;q=0, */*',
    'application/problem+json',
    'nonsense',
  ])('and not to one that accepts only %s', (accept) => {
    expect(acceptRefusal(accept)?.code).toBe('not_acceptable');
  });

  test('a quality that is not a number counts as 1', () => {
    expect(acceptRefusal('application/json;q=high')).toBeNull();
  });
});
