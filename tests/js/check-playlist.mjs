// Parses one playlist from standard input in two independent parsers. Any warning of either is an error.
// Prints what both found as JSON, so that the caller can compare it with what it expects.
import { readFileSync } from 'node:fs';
import * as HLS from 'hls-parser';
import { Parser } from 'm3u8-parser';

const text = readFileSync(0, 'utf8');
const problems = [];

const first = new Parser();
first.on('warn', (event) => problems.push(`m3u8-parser: ${event.message}`));
first.on('info', (event) => problems.push(`m3u8-parser: ${event.message}`));
first.push(text);
first.end();

HLS.setOptions({ strictMode: true, silent: true });
let second;
try {
  second = HLS.parse(text);
} catch (error) {
  problems.push(`hls-parser: ${error.message}`);
}

const manifest = first.manifest;
const result = {
  problems,
  segments: (manifest.segments ?? []).map((segment, index) => ({
    uri: segment.uri,
    duration: segment.duration,
    byterange: segment.byterange ?? null,
    start: segment.dateTimeObject?.getTime() ?? null,
    discontinuity: Boolean(segment.discontinuity),
    gap: Boolean(second?.segments?.[index]?.gap),
  })),
  variants: (manifest.playlists ?? []).map((playlist) => ({ uri: playlist.uri, ...playlist.attributes })),
  targetDuration: manifest.targetDuration ?? null,
  ended: Boolean(manifest.endList),
};
if (second && !second.isMasterPlaylist && second.segments.length !== result.segments.length) {
  problems.push(`the parsers disagree: ${result.segments.length} and ${second.segments.length} segments`);
}
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
