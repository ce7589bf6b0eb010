/** Prepares a Temporal server that runs elsewhere for the first workflow. */
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../../workflows/shared/contract.js';
import { messageOf, StartError } from '../start-error.js';

/** Temporal's numbers for the value types (`temporal.api.enums.v1.IndexedValueType`). */
const valueTypes = { Keyword: 2, Int: 3, KeywordList: 7 } as const;

/** Registers missing search attributes. Throws StartError if the server or the namespace cannot be reached. */
export async function setUpTemporal(address: string, namespace: string): Promise<void> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: 10_000 });
    try {
      await connection.workflowService.describeNamespace({ namespace });
      const known = await connection.operatorService.listSearchAttributes({ namespace });
      const missing = Object.entries(searchAttributes).filter(([name]) => !known.customAttributes?.[name]);
      if (missing.length > 0)
        await connection.operatorService.addSearchAttributes({
          namespace,
          searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, valueTypes[type]])),
        });
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw new StartError(`cannot use Temporal at ${address}, namespace ${namespace}: ${messageOf(error)}`);
  }
}
