// A conversation, with the calls that a model could have made.
import { createJail } from 'codejail';
import { functions } from './catalogue.mjs';
import { definition, PythonTool } from './tool.mjs';

const CALLS = [
  'rows = [line.strip().split(",") for line in open("tmp/orders.csv")]\nlen(rows)',
  'total = sum(price(item) * int(count) for item, count in rows)\nprint("in all", total)\ntotal',
  'price("cake")',
  `try:
    import matplotlib
    matplotlib.use('agg')
    from matplotlib import pyplot
    pyplot.bar([item for item, _ in rows], [int(count) for _, count in rows])
except ImportError:
    print('there is no matplotlib here')`,
];

const jail = createJail();
const tool = new PythonTool(jail, functions);
await tool.put('orders.csv', 'tea,2\ncoffee,1\n');
console.log(`the model is told of ${definition.name}: ${JSON.stringify(definition.parameters)}`);
for (const code of CALLS) {
  const { text, images, isError } = await tool.call({ code });
  console.log(`\n>>> ${code.replaceAll('\n', '\n... ')}\n${isError ? 'error: ' : ''}${text}`);
  for (const { mime, data } of images) console.log(`(${mime}, ${data.length} bytes)`);
}
await tool.close();
await jail.close();
