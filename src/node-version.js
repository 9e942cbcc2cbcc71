// Plain JavaScript on purpose: it is loaded in front of the TypeScript entry points, which an older Node cannot even read.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 14)) {
  process.stderr.write(
    `Footnote needs Node 24.14 or newer; this is ${process.versions.node}. Start it with "npm start": npm install brings Node 24 along.\n` +
      'If it did, reinstall with optional dependencies (npm install --include=optional) or install Node 24 yourself.\n',
  );
  process.exit(78);
}
