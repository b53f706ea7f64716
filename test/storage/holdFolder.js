// Takes a spill folder and keeps it until it is killed: see folderLock.test.ts.

const { FolderLock } = await import('../../dist/src/storage/spill/folderLock.js');

FolderLock.take(process.argv[2]);
process.stdout.write('taken\n');
process.stdin.resume();
