// The SDK of the Model Context Protocol: the user's to install, and loaded when it is needed.
import { createRequire } from 'node:module';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type {
  CallToolRequestSchema,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** The package, by its name in npm. */
export const SDK = '@modelcontextprotocol/sdk';

/** What is used of it. */
export interface Sdk {
  McpServer: typeof McpServer;
  StdioServerTransport: typeof StdioServerTransport;
  CallToolRequestSchema: typeof CallToolRequestSchema;
  ListToolsRequestSchema: typeof ListToolsRequestSchema;
}

const MODULES = ['server/mcp.js', 'server/stdio.js', 'types.js'].map((name) => `${SDK}/${name}`);

/**
 * Loads it from beside this package, or from the project whose `node_modules/.bin` the command was started by, where this package
 * is a link. Never from the working directory, which a client may have set to a folder that nobody trusts.
 * @param started the path by which the command was started
 * @returns undefined where it is not installed
 * @throws what it throws itself
 */
export function loadSdk(started = process.argv[1] ?? __filename): Sdk | undefined {
  for (const from of [__filename, started]) {
    const require = createRequire(from);
    try {
      require.resolve(MODULES[0] ?? SDK);
    } catch {
      continue;
    }
    return Object.assign({}, ...MODULES.map((name): unknown => require(name))) as Sdk;
  }
  return undefined;
}
