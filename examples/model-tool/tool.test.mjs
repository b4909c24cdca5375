// What a model gets from its calls. `node --test`
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createJail } from 'codejail';
import { functions } from './catalogue.mjs';
import { PythonTool } from './tool.mjs';

const jail = createJail();
const tool = new PythonTool(jail, functions);
before(() => tool.put('orders.csv', 'tea,2\ncoffee,1\n'));
after(async () => {
  await tool.close();
  await jail.close();
});

test('files go in, and variables stay', async () => {
  const code = 'rows = [line.strip().split(",") for line in open("tmp/orders.csv")]\nlen(rows)';
  assert.deepEqual(await tool.call({ code }), { text: '2', images: [], isError: false });
  assert.equal((await tool.call({ code: 'rows[0]' })).text, "['tea', '2']");
});

test('functions of the server are called with arguments that were checked', async () => {
  assert.equal((await tool.call({ code: 'price("tea") * 2' })).text, '7.0');
  const unknown = await tool.call({ code: 'price("cake")' });
  assert.equal(unknown.isError, true);
  assert.match(unknown.text, /HostError: there is no cake$/m);
  assert.match((await tool.call({ code: 'price(7)' })).text, /Error: .*item/);
});

test('what is printed comes while the code runs', async () => {
  const seen = [];
  let go;
  const told = new Promise((resolve) => (go = resolve));
  const running = tool.call(
    { code: 'print("first")\nimport time\nwhile True: time.sleep(0.01)' },
    {
      signal: AbortSignal.any([
        AbortSignal.timeout(60_000),
        abortedBy(told.then(() => new Error('seen'))),
      ]),
      onText: (text) => {
        seen.push(text);
        go();
      },
    },
  );
  await assert.rejects(running, { message: 'seen' });
  assert.equal(seen[0], 'first\n');
});

test('an image is an image, and a file that was written can be had', async () => {
  // As matplotlib's figures come, where it is installed.
  const { images } = await tool.call({
    code: `
class Plot:
    def _repr_png_(self): return b'\\x89PNG...'
open('tmp/total.txt', 'w').write('7')
Plot()`,
  });
  assert.deepEqual(
    images.map(({ mime, data }) => [mime, data.subarray(1).toString()]),
    [['image/png', 'PNG...']],
  );
  assert.equal((await tool.get('total.txt')).toString(), '7');
});

test('a stopped call says why, and the variables are as before', async () => {
  const hungry = await tool.call({ code: 'rows = None\nx = bytearray(10 ** 10)' });
  assert.equal(hungry.isError, true);
  const exit = await tool.call({ code: 'rows = 3\nimport os\nos._exit(3)' });
  assert.match(exit.text, /as they were before this call/);
});

function abortedBy(promise) {
  const controller = new AbortController();
  promise.then((reason) => controller.abort(reason));
  return controller.signal;
}
