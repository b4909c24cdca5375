// A user who has no watch of epoll left for a server's jails (epoll_ctl(2), ENOSPC; fs.epoll.max_user_watches is for all
// processes of a user).
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();
jest.setTimeout(180_000);

const CALLER = join(__dirname, '..', 'support', 'caller-process.cjs');
const PRELOADED = `
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

extern "C" int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  Dl_info from;
  if (operation == EPOLL_CTL_ADD && dladdr(__builtin_return_address(0), &from) != 0 &&
      strstr(from.dli_fname, "codejail.node") != nullptr) {
    (void)!write(STDERR_FILENO, "refused\\n", 8);
    errno = ENOSPC;
    return -1;
  }
  const auto real = reinterpret_cast<decltype(&epoll_ctl)>(dlsym(RTLD_NEXT, "epoll_ctl"));
  return real(epoll, operation, descriptor, event);
}
`;

let folder: string;
let library: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'watches-'));
  library = join(folder, 'preloaded.so');
  writeFileSync(join(folder, 'preloaded.cc'), PRELOADED);
  execFileSync('g++', ['-shared', '-fPIC', '-o', library, join(folder, 'preloaded.cc'), '-ldl']);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it.each(['cold', 'warm'])('costs a %s call time, and nothing else', (mode) => {
  // After the sanitizers', which have to be first.
  const preloaded = [process.env['LD_PRELOAD'], library].filter(Boolean).join(':');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      CALLER,
      JSON.stringify({
        commands: { python: { bin: 'python3', ...(mode === 'warm' && { warm: { size: 1 } }) } },
      }),
      'print("up", flush=True)\nimport time\ntime.sleep(0.2)\nprint("x" * 200_000)',
    ],
    { env: { ...process.env, LD_PRELOAD: preloaded }, encoding: 'utf8', timeout: 120_000 },
  );
  expect(stderr).toMatch(/^(refused\n)+$/);
  const outcome = JSON.parse(stdout) as { stdout: string; stderr: string; status: number };
  expect(outcome).toMatchObject({ stdout: `up\n${'x'.repeat(200_000)}\n`, stderr: '', status: 0 });
});
