// A server of the Model Context Protocol over standard input and output: one connection, one session.
import type { Sdk } from './sdk';
import { Tools, type ToolsOptions } from './tools';

/** How a server is made. */
export interface ServerOptions extends ToolsOptions {
  sdk: Sdk;
  version: string;
  /** Aborting it ends the server. */
  signal: AbortSignal;
}

const INSTRUCTIONS =
  'run_python runs Python in a sandbox, which keeps its variables until reset, and files in the directory tmp. ' +
  'list_files and read_file show those files.';

/** Serves until the client closes standard input, or the signal is aborted. Nothing of its session is left then. */
export async function serve({ sdk, version, signal, ...options }: ServerOptions): Promise<void> {
  const tools = new Tools(options);
  const connection = new sdk.McpServer(
    { name: 'codejail', version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  // The tools' schemas are plain JSON: what McpServer takes are zod's.
  const { server } = connection;
  server.setRequestHandler(sdk.ListToolsRequestSchema, () => ({ tools: tools.descriptions }));
  server.setRequestHandler(sdk.CallToolRequestSchema, async ({ params }, extra) =>
    tools.call(params.name, params.arguments, extra.signal),
  );
  try {
    await connection.connect(new sdk.StdioServerTransport());
    await ended(signal);
    await connection.close();
  } finally {
    await tools.close();
  }
}

/** The transport of the SDK does not tell when its input ends. */
async function ended(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      resolve();
    };
    if (signal.aborted || process.stdin.readableEnded) {
      end();
    }
    process.stdin.once('end', end).once('close', end);
    signal.addEventListener('abort', end, { once: true });
  });
}
