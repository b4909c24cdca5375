// A function of the server's that the model's code may call: its arguments are checked before it sees them.
import { hostFunction } from 'codejail';
import { z } from 'zod';

const PRICES = new Map([
  ['tea', 3.5],
  ['coffee', 4.25],
]);

/** The functions, by the names that the code calls them by. */
export const functions = {
  price: hostFunction({
    names: ['item'],
    parameters: z.object({ item: z.string().max(40) }),
    maxCalls: 20,
    timeout: 5,
    run: ({ item }) => {
      const found = PRICES.get(item);
      // What is thrown is told: a message that the model may read.
      if (found === undefined) throw new Error(`there is no ${item}`);
      return found;
    },
  }),
};
