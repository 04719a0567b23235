// A worker with workflows only, in a process of its own, so that it can be killed: node unrecorded-worker.ts ADDRESS QUEUE BUNDLE
import { NativeConnection, Worker } from '@temporalio/worker';

const [address, taskQueue, codePath] = process.argv.slice(2) as [string, string, string];
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowBundle: { codePath },
});
process.stdout.write('ready\n');
await worker.run();
