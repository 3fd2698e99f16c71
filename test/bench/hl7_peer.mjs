// Reads the messages that `hl7-bench --export` wrote with npm's @medplum/core, and says its rates. Beside hl7_bench.py.
//   node hl7_peer.mjs FOLDER_OF_NODE_MODULES FILE SECONDS
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, file, seconds] = process.argv.slice(2);
globalThis.WebSocket ??= class {};  // its client wants one to exist, before node 22
const { Hl7Message } = createRequire(join(folder, 'x.js'))('@medplum/core');
const bytes = readFileSync(file);
const messages = [];
for (let at = 0; at < bytes.length;) {
  const size = bytes.readUInt32LE(at);
  messages.push(bytes.subarray(at + 4, at + 4 + size));
  at += 4 + size;
}

const strict = new TextDecoder('utf-8', { fatal: true });
const latin = new TextDecoder('windows-1252');
function text(message) {
  try {
    return strict.decode(message);
  } catch {
    return latin.decode(message);
  }
}

function rate(some) {
  const total = some.reduce((sum, message) => sum + message.length, 0);
  const round = () => some.reduce((sum, message) => sum + Hl7Message.parse(text(message)).segments.length, 0);
  round();
  let rounds = 0;
  const begin = process.cpuUsage();
  let used = 0;
  for (; used < seconds; ++rounds) {
    round();
    const now = process.cpuUsage(begin);
    used = (now.user + now.system) / 1e6;
  }
  return { bytes_per_second: (rounds * total) / used, messages_per_second: (rounds * some.length) / used };
}

console.log(JSON.stringify({ corpus: rate(messages), small: rate(messages.filter((message) => message.length <= 8192)) }));
