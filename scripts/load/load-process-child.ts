// The other side of startLoadProcess(): argument = LoadOptions as JSON, questions and answers over IPC.
import { startLoad, type LoadOptions } from './load-generator.ts';
import type { LoadMessage, LoadQuestion } from './load-process.ts';

const load = startLoad(JSON.parse(process.argv[2]!) as LoadOptions);
const tell = (message: LoadMessage): void => void process.send!(message);

process.on('message', ({ id, question }: { id: number; question: LoadQuestion }) => {
  void load[question]().then((answer) => tell({ kind: 'answer', id, answer }));
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group: the parent, which asks for the report, decides when this ends.
process.on('SIGINT', () => {});
tell({ kind: 'started' });
