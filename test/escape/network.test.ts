// Guarantee `network`: no socket but a Unix socket of the jail's own.
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { useAttackedJail, expectDenied, outcomes } from './attack';

const attacked = useAttackedJail();

async function listening(server: Server): Promise<void> {
  await once(server, 'listening');
}

describe('network', () => {
  it('denies sockets of every family but AF_UNIX with EACCES', async () => {
    const found = await outcomes(
      attacked.jail,
      `
for family in range(2, 47):
    for kind in (1, 2, 3, 5):
        name = f'{family}/{kind}'
        try: os.close(call('socket', family, kind, 0)); say(name, 'reached')
        except OSError as error: say(name, errno.errorcode[error.errno])
attempt('high bits', call, 'socket', (1 << 32) | socket.AF_INET, socket.SOCK_STREAM, 0)
attempt('pair', call, 'socketpair', socket.AF_INET, socket.SOCK_STREAM, 0, (ctypes.c_int * 2)())
`,
    );
    expect(Object.keys(found)).toHaveLength(45 * 4 + 2);
    expect(new Set(Object.values(found))).toEqual(new Set(['EACCES']));
  });

  it('denies reaching a server on loopback', async () => {
    let reached = 0;
    const server = createServer(() => {
      reached += 1;
    }).listen(0, '127.0.0.1');
    await listening(server);
    const { port } = server.address() as AddressInfo;
    const found = await outcomes(
      attacked.jail,
      `
attempt('create_connection', socket.create_connection, ('127.0.0.1', ${port}), 2)
attempt('datagram', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', ${port})))
attempt('listen', lambda: socket.create_server(('127.0.0.1', 0)))
`,
    );
    server.close();
    await once(server, 'close');
    expectDenied(found, ['create_connection', 'datagram', 'listen']);
    expect(reached).toBe(0);
  });

  it('denies abstract and named Unix sockets of the host', async () => {
    const name = `codejail-escape-${process.pid}`;
    const path = `/tmp/${name}.socket`;
    let reached = 0;
    const servers = [`\0${name}`, path].map((address) =>
      createServer(() => {
        reached += 1;
      }).listen(address),
    );
    await Promise.all(servers.map(listening));
    const found = await outcomes(
      attacked.jail,
      `
for name in ('\\0${name}', ${JSON.stringify(path)}, '/run/docker.sock', '/dev/log', '/run/systemd/private'):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        attempt(repr((name, int(kind))), lambda: socket.socket(socket.AF_UNIX, kind).connect(name))
`,
    );
    await Promise.all(
      servers.map(async (server) => {
        server.close();
        await once(server, 'close');
      }),
    );
    expect(Object.keys(found)).toHaveLength(15);
    expectDenied(found, Object.keys(found));
    expect(reached).toBe(0);
  });

  it('allows Unix sockets in its own tmp, and pairs', async () => {
    const found = await outcomes(
      attacked.jail,
      `
server = socket.socket(socket.AF_UNIX)
server.bind('tmp/socket')
server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect('tmp/socket')
client.sendall(b'hello')
say('socket', server.accept()[0].recv(5).decode())
left, right = socket.socketpair()
left.sendall(b'pair')
say('pair', right.recv(4).decode())
`,
    );
    expect(found).toEqual({ socket: 'hello', pair: 'pair' });
  });

  it('denies binding a Unix socket outside of tmp', async () => {
    const found = await outcomes(
      attacked.jail,
      `
for path in ('socket', '../socket', '/tmp/socket', '/dev/socket'):
    attempt(path, lambda: socket.socket(socket.AF_UNIX).bind(path))
`,
    );
    expectDenied(found, ['socket', '../socket', '/tmp/socket', '/dev/socket']);
  });
});
