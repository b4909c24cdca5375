// Which pools of uids the jails of one process may have beside each other.
import { createJail, type Jail } from '../../lib/index';

const FIRST = 1_980_000_000;
const jails: Jail[] = [];

function make(first: number, count: number): Jail {
  const jail = createJail({ uidPool: { first, count } });
  jails.push(jail);
  return jail;
}

afterEach(async () => {
  await Promise.all(jails.splice(0).map(async (jail) => jail.close()));
});

const refused = (say: string): object => ({
  code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
  argument: 'options.uidPool',
  message: expect.stringContaining(say) as string,
});

function attempt(first: number, count: number): unknown {
  try {
    return make(first, count);
  } catch (error) {
    return error;
  }
}

it('lets jails share a pool, and have pools side by side', () => {
  make(FIRST, 16);
  make(FIRST, 16);
  make(FIRST + 32, 16);
});

it.each([
  ['the programs of the one', FIRST + 8, 16],
  ['the launchers of the one', FIRST + 16, 8],
  ['the launchers of the other', FIRST - 16, 16],
  ['all', FIRST - 100, 1000],
  ['another number of the same', FIRST, 8],
])('refuses a pool that overlaps: %s', (_name, first, count) => {
  make(FIRST, 16);
  expect(attempt(first, count)).toMatchObject(
    refused(`has ${FIRST} to ${FIRST + 31}: give both the same pool`),
  );
});

it('gives the ids of closed jails to others', async () => {
  const one = make(FIRST, 16);
  const same = make(FIRST, 16);
  await one.close();
  expect(attempt(FIRST + 8, 16)).toMatchObject(refused('not closed'));
  await same.close();
  make(FIRST + 8, 16);
});

it('refuses a call of a jail with the default pool, some of which another has', async () => {
  make(1_900_000_000, 16);
  const jail = createJail();
  jails.push(jail);
  await expect(jail.jailCode('python', { code: '1' })).rejects.toMatchObject(
    refused('has 1900000000 to 1900000031'),
  );
  await expect(jail.inspectHost()).rejects.toMatchObject(refused('give both the same pool'));
});
