/** Search attributes of an order in Temporal. */

/** The largest list of SKUs, with room to spare (the server's limit for an attribute is 2 KiB). */
const maxSkuListBytes = 1600;

/** As many SKUs as fit into a search attribute, each once, in their order. */
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
