/** What of an order can be searched for in Temporal. */

/** What a search attribute may take up, with room to spare (the server's limit is 2 KiB). */
const maxSkuListBytes = 1600;

/** As many SKUs as a search attribute can take, each once, in their order. */
export function skuList(skus: Iterable<string>): string[] {
  const list: string[] = [];
  let bytes = 0;
  for (const sku of new Set(skus)) {
    bytes += sku.length + 3;
    if (bytes > maxSkuListBytes) break;
    list.push(sku);
  }
  return list;
}
