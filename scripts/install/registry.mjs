// A registry of packed tarballs, on the loopback interface. It has those and nothing else.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const manifestIn = (path) =>
  JSON.parse(execFileSync('tar', ['-xzOf', path, 'package/package.json'], { encoding: 'utf8' }));

/** Every tarball of a directory, as a registry has it. */
function packagesOf(directory) {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.tgz'))
    .map((file) => {
      const bytes = readFileSync(join(directory, file));
      return { file, bytes, manifest: manifestIn(join(directory, file)) };
    });
}

function documentOf({ file, bytes, manifest }, base) {
  const dist = {
    tarball: `${base}/-/tarballs/${file}`,
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    shasum: createHash('sha1').update(bytes).digest('hex'),
  };
  const { name, version } = manifest;
  return {
    ...{ _id: name, name, 'dist-tags': { latest: version } },
    versions: { [version]: { _id: `${name}@${version}`, ...manifest, dist } },
    time: { [version]: '2020-01-01T00:00:00.000Z' },
  };
}

/** Resolves to its address and a function that ends it. */
export async function serveRegistry(directory) {
  const packages = packagesOf(directory);
  let base = '';
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://registry').pathname);
    const tarball = packages.find(({ file }) => path === `/-/tarballs/${file}`);
    const found = packages.find(({ manifest }) => path === `/${manifest.name}`);
    if (tarball !== undefined) {
      response.end(tarball.bytes);
    } else if (found !== undefined) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(documentOf(found, base)));
    } else {
      response.writeHead(404).end('{}');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
  return { base, close: () => new Promise((resolve) => server.close(resolve)) };
}
