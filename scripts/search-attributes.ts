// npm run search-attributes: registers the search attributes of procedures in the namespace of the environment
// (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and so on). Those that are there already stay as they are.
import { Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { SEARCH_ATTRIBUTES } from '../src/contracts/search-attributes.ts';

/** `temporal.api.enums.v1.IndexedValueType`. */
const TYPES = { Keyword: 2, KeywordList: 7 } as const;

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const connection = await Connection.connect(connectionOptions);
try {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.entries(SEARCH_ATTRIBUTES).filter(([name]) => !customAttributes?.[name]);
  if (missing.length > 0) {
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, TYPES[type]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  }
  const names = missing.map(([name]) => name).join(', ');
  console.log(names ? `registered in ${namespace}: ${names}` : `${namespace} has them all`);
} finally {
  await connection.close();
}
